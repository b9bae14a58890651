using System.Text;
using Repmgr.Core.Postgres;

namespace Repmgr.Engine.Files;

/// <summary><c>postgresql.auto.conf</c> of a data directory on this machine.</summary>
/// <remarks>
/// While the server runs, <c>ALTER SYSTEM</c> rewrites the file too; a server that takes the change by SQL is asked by SQL
/// (<c>ALTER SYSTEM</c> takes a lock that we cannot). https://www.postgresql.org/docs/current/config-setting.html
/// </remarks>
public static class AutoConf
{
    public const string FileName = "postgresql.auto.conf";

    public static string PathIn(string dataDirectory) => Path.Combine(dataDirectory, FileName);

    /// <summary>The settings of the file, names in lower case; none when there is no file.</summary>
    public static IReadOnlyDictionary<string, string> Read(string dataDirectory) =>
        AutoConfText.Read(ReadText(dataDirectory))
            .ToDictionary(setting => setting.Key, setting => Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(setting.Value)), StringComparer.Ordinal);

    /// <summary>
    /// Sets or (null) removes settings and leaves everything else as it is; durable and atomic.
    /// </summary>
    /// <returns>False when the file says all of it already and was not touched.</returns>
    /// <exception cref="IOException">It could not be written; the old file is untouched.</exception>
    public static bool Merge(string dataDirectory, IReadOnlyDictionary<string, string?> changes)
    {
        IReadOnlyDictionary<string, string> present = Read(dataDirectory);
        if (changes.All(change => present.GetValueOrDefault(change.Key.ToLowerInvariant()) == change.Value))
            return false;

        var asBytes = changes.ToDictionary(
            change => change.Key,
            change => change.Value is null ? null : Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(change.Value)),
            StringComparer.Ordinal);
        string merged = AutoConfText.Merge(ReadText(dataDirectory), asBytes);
        DurableFile.Replace(PathIn(dataDirectory), Encoding.Latin1.GetBytes(merged));
        return true;
    }

    // Byte for byte: the file has no declared encoding, and what is not ours must come out as it went in.
    private static string ReadText(string dataDirectory)
    {
        string path = PathIn(dataDirectory);
        return File.Exists(path) ? Encoding.Latin1.GetString(File.ReadAllBytes(path)) : "";
    }
}

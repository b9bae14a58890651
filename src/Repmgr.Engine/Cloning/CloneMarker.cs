using System.Globalization;
using Repmgr.Core.Cloning;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Files;

namespace Repmgr.Engine.Cloning;

/// <summary>
/// The file that says a directory is being filled. A lock on it tells a clone that is at work from one that was interrupted:
/// the operating system drops the lock when the process ends, however it ends.
/// </summary>
internal static class CloneMarker
{
    public static string PathIn(string dataDirectory) => Path.Combine(dataDirectory, CopyRules.Marker);

    /// <summary>What the marker says; null when there is none that can be read.</summary>
    public static UnfinishedClone? Read(string dataDirectory)
    {
        string path = PathIn(dataDirectory);
        if (!File.Exists(path))
            return null;

        IReadOnlyDictionary<string, string> values = AutoConfText.Read(NativeFile.ReadText(path));
        return ulong.TryParse(values.GetValueOrDefault("system_identifier"), NumberStyles.None, CultureInfo.InvariantCulture, out ulong system)
            && int.TryParse(values.GetValueOrDefault("major_version"), NumberStyles.None, CultureInfo.InvariantCulture, out int major)
            && Enum.TryParse(values.GetValueOrDefault("method"), ignoreCase: true, out CloneMethod method)
            ? new UnfinishedClone(system, major, method, [.. (values.GetValueOrDefault("tablespaces") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Uri.UnescapeDataString)])
            : null;
    }

    public static void Write(string dataDirectory, UnfinishedClone clone) => DurableFile.Replace(
        PathIn(dataDirectory),
        System.Text.Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"""
            # repmgr is copying a cluster into this directory, or was interrupted in doing so. Do not start PostgreSQL here:
            # the copy is not whole. The same "repmgr standby clone" again completes it.
            system_identifier = '{clone.SystemIdentifier}'
            major_version = '{clone.Major}'
            method = '{clone.Method.ToString().ToLowerInvariant()}'
            tablespaces = '{string.Join(' ', clone.TablespaceDirectories.Select(Uri.EscapeDataString))}'

            """)));

    /// <summary>Takes the lock.</summary>
    /// <exception cref="IOException">Another process has it.</exception>
    public static FileStream Lock(string dataDirectory) =>
        new(PathIn(dataDirectory), FileMode.Open, FileAccess.ReadWrite, FileShare.None);

    public static bool IsLocked(string dataDirectory)
    {
        try
        {
            using FileStream file = Lock(dataDirectory);
            return false;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }
}

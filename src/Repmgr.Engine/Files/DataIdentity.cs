using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Repmgr.Engine.Files;

/// <summary>
/// The random number that tells one copy of a node's data from another (R12): a commit that the former one acknowledged need not be in the present one.
/// </summary>
/// <remarks>
/// It lies in <c>pg_wal</c>, which no base backup carries along and pg_verifybackup does not look at, and where PostgreSQL removes nothing that has no name of its own
/// kinds (RemoveOldXlogFiles in src/backend/access/transam/xlog.c). docs/adr/0098.
/// </remarks>
public static class DataIdentity
{
    private const string Name = "repmgr_identity";

    /// <summary>Null: it has none, or one that cannot be read.</summary>
    public static ulong? Read(string dataDirectory)
    {
        try
        {
            return ulong.TryParse(File.ReadAllText(PathIn(dataDirectory)).Trim(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong identity) ? identity : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The number; data that have none yet get one.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    public static ulong Ensure(string dataDirectory) => Read(dataDirectory) ?? Renew(dataDirectory);

    /// <summary>Before the first byte is overwritten. Durable.</summary>
    /// <exception cref="IOException">It is still there.</exception>
    public static void Remove(string dataDirectory)
    {
        if (Directory.Exists(Path.GetDirectoryName(PathIn(dataDirectory))))
            DurableFile.Remove(PathIn(dataDirectory));
    }

    /// <summary>At the end of a copy: these are other data than before. Durable.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    public static ulong Renew(string dataDirectory)
    {
        ulong identity = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        DurableFile.Replace(PathIn(dataDirectory), Encoding.ASCII.GetBytes(identity.ToString("x16", CultureInfo.InvariantCulture) + "\n"));
        return identity;
    }

    private static string PathIn(string dataDirectory) => Path.Combine(dataDirectory, "pg_wal", Name);
}

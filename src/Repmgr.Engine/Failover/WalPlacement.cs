using Repmgr.Engine.Files;

namespace Repmgr.Engine.Failover;

/// <summary>
/// Puts fetched WAL in place in its own order, each file whole and on disk under its name before the next (docs/adr/0109): there is never anything beyond a gap, which
/// another node's WAL could be joined with later.
/// </summary>
internal static class WalPlacement
{
    private const string Suffix = ".repmgr.tmp";

    /// <param name="staging">What was fetched: segments, and history files. A segment whose timeline's history is not there would not be looked for: histories go first.</param>
    /// <param name="wal"><c>pg_wal</c>.</param>
    /// <exception cref="IOException">The rest is not in place.</exception>
    public static void Place(string staging, string wal)
    {
        foreach (string fetched in InOrder(Directory.GetFiles(staging)))
        {
            string target = Path.Combine(wal, Path.GetFileName(fetched)), beside = target + Suffix;
            try
            {
                File.Copy(fetched, beside, overwrite: true);
                DurableFile.Flush(beside);
                File.Move(beside, target, overwrite: true);
            }
            catch
            {
                File.Delete(beside);
                throw;
            }

            DurableFile.FlushDirectory(wal);
        }
    }

    // Of the segment in which a timeline was left there are two: the older timeline's first.
    private static IEnumerable<string> InOrder(string[] files) => files
        .OrderBy(path => !path.EndsWith(".history", StringComparison.Ordinal))
        .ThenBy(path => Path.GetFileName(path).Length == 24 ? Path.GetFileName(path)[8..] : "", StringComparer.Ordinal)
        .ThenBy(path => path, StringComparer.Ordinal);
}

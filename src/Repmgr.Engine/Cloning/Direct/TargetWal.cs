using Repmgr.Core.Cloning.Direct;

namespace Repmgr.Engine.Cloning.Direct;

/// <summary>Makes <c>pg_wal</c> of the target: empty, and where it is wanted.</summary>
internal static class TargetWal
{
    public static void Place(DirectCopy copy, UnixFileMode mode)
    {
        string wal = Path.Combine(copy.DataDirectory, "pg_wal");
        var here = new DirectoryInfo(wal);
        if (copy.WalDirectory is { } elsewhere && here.LinkTarget?.TrimEnd('/') != elsewhere)
        {
            if (here.LinkTarget is not null)
                File.Delete(wal);
            else if (here.Exists)
                here.Delete(recursive: true);
            TargetDirectory.Make(elsewhere, mode);
            File.CreateSymbolicLink(wal, elsewhere);
        }

        TargetDirectory.Make(wal, mode);
        TargetDirectory.Empty(wal);
        TargetDirectory.Make(Path.Combine(wal, "archive_status"), mode);
        if (copy.Version.Major >= 17)
            TargetDirectory.Make(Path.Combine(wal, "summaries"), mode);
    }
}

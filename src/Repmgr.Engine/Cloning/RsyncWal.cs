using System.Text;
using Repmgr.Core.Cloning;
using Repmgr.Core.Problems;
using Repmgr.Engine.Processes;

namespace Repmgr.Engine.Cloning;

/// <summary>Fetches the WAL that makes a copy consistent.</summary>
internal static class RsyncWal
{
    /// <summary>Fetches every segment from start to stop and makes sure that each is there.</summary>
    /// <returns>How many.</returns>
    public static async Task<int> FetchAsync(RsyncCopy copy, BackupEnd end, CancellationToken cancel)
    {
        IReadOnlyList<string> segments = WalFiles.Segments(end.Label.Timeline, end.Label.Start, end.Stop, copy.WalSegmentBytes);
        string to = Path.Combine(copy.DataDirectory, "pg_wal");
        List<string> names = [.. segments, .. WalFiles.History(end.Label.Timeline) is { } history ? [history] : Array.Empty<string>()];
        ProgramResult result = await CopyProgram.RunAsync(
            "rsync",
            [
                "--archive", "--ignore-times", "--ignore-missing-args", "--files-from=-", "--from0",
                .. RemoteProgram.RsyncOverSsh(copy.Shell),
                RemoteProgram.Remote(copy.Shell, $"{copy.SourceDirectory.TrimEnd('/')}/pg_wal/"),
                to + "/",
            ],
            ProgramEnvironment.PlainMessages,
            Encoding.UTF8.GetBytes(string.Concat(names.Select(name => name + "\0"))),
            null,
            cancel).ConfigureAwait(false);
        if (!result.Succeeded)
            throw new CopyFailure(RemoteProgram.Failure(copy.Shell, result));

        foreach (string segment in segments)
        {
            if (new FileInfo(Path.Combine(to, segment)) is not { Exists: true } file || file.Length != copy.WalSegmentBytes)
            {
                throw new CopyFailure(
                    new Problem(
                        $"the source has removed WAL segment {segment}, which the copy needs",
                        "wal_keep_size was too small for the time the copy took.",
                        "Leave -w out, so that a replication slot holds the WAL, or raise wal_keep_size."),
                    ExitCode.BadRsync);
            }

            MarkArchived(copy.DataDirectory, segment);
        }

        return segments.Count;
    }

    /// <summary>As pg_basebackup does: these segments are the source's to archive, not the standby's once it is promoted.</summary>
    internal static void MarkArchived(string dataDirectory, string segment)
    {
        using var file = new FileStream(Path.Combine(dataDirectory, "pg_wal", "archive_status", segment + ".done"), new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
    }
}

using Repmgr.Core.Cloning;
using Repmgr.Core.Planning;
using Repmgr.Core.Problems;
using Repmgr.Engine.Processes;

namespace Repmgr.Engine.Cloning;

/// <summary>Runs pg_combinebackup: earlier backups and the incremental one made now become a full copy.</summary>
/// <remarks>https://www.postgresql.org/docs/current/app-pgcombinebackup.html</remarks>
internal sealed class CombineRunner(CombineCopy copy, IProgress<CopyProgress> progress, TimeProvider clock)
{
    public async Task<StepOutcome> RunAsync(CancellationToken cancel)
    {
        TargetDirectory.RemoveStaging(copy.Staging, TablespaceDirectories);
        var measure = new SizeProgress("combining", [copy.Staging, .. copy.Tablespaces.Select(space => space.Staging)], copy.TotalBytes, progress, clock);
        ProgramResult result = await measure
            .WhileAsync(CopyProgram.RunAsync(copy.Program, Arguments(), ProgramEnvironment.PlainMessages, null, null, cancel)).ConfigureAwait(false);
        TargetDirectory.RemoveStaging(copy.Incremental, TablespaceDirectories);
        if (!result.Succeeded)
            TargetDirectory.RemoveStaging(copy.Staging, TablespaceDirectories);
        return result.Succeeded ? new StepOutcome.Done { Copied = Copied() } : Failed(result);
    }

    private IEnumerable<string> TablespaceDirectories => copy.Tablespaces.Select(space => space.Destination);

    // The copy is flushed when it is moved into place. The path of a tablespace is that in the last backup.
    private IReadOnlyList<string> Arguments() =>
    [
        "--no-sync",
        "--output=" + copy.Staging,
        .. copy.Tablespaces.Select(space =>
            $"--tablespace-mapping={BaseBackupRunner.Escape(space.Beside(Path.GetFileName(copy.Incremental)))}={BaseBackupRunner.Escape(space.Staging)}"),
        .. copy.Earlier,
        copy.Incremental,
    ];

    private static StepOutcome.Failed Failed(ProgramResult result) => new(
        CopyProgram.FoundDiskFull(result)
            ? new Problem(
                "there is no space left for the copy",
                result.Explain("pg_combinebackup"),
                "What was copied is removed. Free some space and run the command again, or leave --incremental-from out: that needs room for the cluster only.")
            : new Problem(
                "pg_combinebackup failed",
                result.Explain("pg_combinebackup"),
                "Check the earlier backups with pg_verifybackup, or leave --incremental-from out to have the whole cluster copied."),
        ExitCode.BadBaseBackup);

    private CloneResult Copied()
    {
        CopySize? size = CopySize.TryOf([copy.Staging, .. copy.Tablespaces.Select(space => space.Staging)]);
        return new CloneResult(CloneMethod.BaseBackup, 1, TimeSpan.Zero)
        {
            Files = size?.Files,
            BytesTotal = size?.Bytes,
            BytesCompared = 0,
            StartLsn = RestoredCopyFiles.Label(copy.Staging)?.Start,
            StopLsn = ManifestEnd.Read(copy.Staging),
        };
    }
}

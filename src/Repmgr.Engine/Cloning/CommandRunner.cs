using Repmgr.Core.Cloning;
using Repmgr.Core.Planning;
using Repmgr.Core.Problems;
using Repmgr.Engine.Processes;

namespace Repmgr.Engine.Cloning;

/// <summary>Runs <c>clone_command</c> on an empty staging directory, and looks at what it left before anybody relies on it.</summary>
internal sealed class CommandRunner(CommandCopy copy, IProgress<CopyProgress> progress, TimeProvider clock)
{
    public async Task<StepOutcome> RunAsync(CancellationToken cancel)
    {
        TargetDirectory.RemoveStaging(copy.Staging, []);
        Directory.CreateDirectory(copy.Staging, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var measure = new SizeProgress("restoring", [copy.Staging], copy.TotalBytes, progress, clock);
        ProgramResult result = await measure.WhileAsync(RestoreAsync(cancel)).ConfigureAwait(false);
        if (!result.Succeeded)
            return Failed(result);
        if (RestoredCopyCheck.Problem(copy, RestoredCopyFiles.Look(copy.Staging)) is { } problem)
            return new StepOutcome.Failed(problem, ExitCode.LocalCommand);

        RestoredCopyFiles.Fit(copy);
        return Done();
    }

    // All that the command writes is taken for messages: tools differ in where they say what went wrong.
    private Task<ProgramResult> RestoreAsync(CancellationToken cancel)
    {
        var environment = new Dictionary<string, string?>(ProgramEnvironment.Connecting(copy.Source));
        foreach ((string name, string value) in copy.Command.Environment)
            environment[name] = value;
        return CopyProgram.RunAsync("/bin/sh", ["-c", "exec >&2\n" + copy.Command.Script], environment, null, null, cancel);
    }

    private StepOutcome.Failed Failed(ProgramResult result)
    {
        TargetDirectory.RemoveStaging(copy.Staging, []);
        string said = result.Explain("clone_command");
        return new StepOutcome.Failed(
            CopyProgram.FoundDiskFull(result)
                ? new Problem("there is no space left for the copy", said, "What was restored is removed. Free some space and run the command again.")
                : new Problem("clone_command failed", said, "What was restored is removed. Mend the cause and run the command again: it starts over in the same directory."),
            ExitCode.LocalCommand);
    }

    private StepOutcome.Done Done()
    {
        BackupLabel? label = RestoredCopyFiles.Label(copy.Staging);
        CopySize? size = CopySize.TryOf([copy.Staging, .. copy.Expected.Tablespaces.Select(space => Path.Combine(space.Destination, space.VersionDirectory))]);
        return new StepOutcome.Done(label is null
            ? "it is a whole copy, without a backup label: as of a server that was stopped, or of a snapshot"
            : $"it is a whole copy, of a backup that begins at {label.Start} on timeline {label.Timeline}")
        {
            Copied = new CloneResult(CloneMethod.Command, 1, TimeSpan.Zero)
            {
                Files = size?.Files,
                BytesTotal = size?.Bytes,
                StartLsn = label?.Start,
                StopLsn = ManifestEnd.Read(copy.Staging),
            },
        };
    }
}

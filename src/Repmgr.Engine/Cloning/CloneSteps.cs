using Repmgr.Core.Cloning;
using Repmgr.Core.Planning;
using Repmgr.Core.Problems;
using Repmgr.Engine.Cloning.Direct;
using Repmgr.Engine.Execution;
using Repmgr.Engine.Files;
using Repmgr.Engine.Postgres;
using Repmgr.Engine.Processes;

namespace Repmgr.Engine.Cloning;

/// <summary>Does the steps of a clone. Holds the lock on the target from the first of them to the last.</summary>
public sealed class CloneSteps(StepContext context) : IDisposable
{
    private static readonly TimeSpan VerifyWithin = TimeSpan.FromDays(7);

    private readonly PostgresConnector _connector = context.Connector;
    private readonly IProgress<CopyProgress> _progress = context.CopyProgress ?? new Unheard();

    private FileStream? _lock;
    private CloneResult? _fetched;
    private DirectRunner? _direct;

    public async Task<StepOutcome> RunAsync(Step step, CancellationToken cancel)
    {
        try
        {
            return step switch
            {
                Step.ReserveSlot reserve => await SlotRunner.ReserveAsync(reserve, _connector, cancel).ConfigureAwait(false),
                Step.BeginClone begin => await BeginAsync(begin, cancel).ConfigureAwait(false),
                Step.ClearTarget clear => Did(() => TargetDirectory.Clear(clear)),
                Step.CopyByBaseBackup backup => Fetched(await TimedAsync(new BaseBackupRunner(backup.Copy, _progress).RunAsync, cancel).ConfigureAwait(false)),
                Step.CombineBackups combine => await CombineAsync(combine.Copy, cancel).ConfigureAwait(false),
                Step.CopyByCommand command => await TimedAsync(new CommandRunner(command.Copy, _progress, context.Clock).RunAsync, cancel).ConfigureAwait(false),
                Step.VerifyCopy verify => await VerifyAsync(verify, cancel).ConfigureAwait(false),
                Step.CopyDirectly direct => await CopyDirectlyAsync(direct, cancel).ConfigureAwait(false),
                Step.CopyByRsync rsync => await TimedAsync(new RsyncRunner(rsync.Copy, _connector, _progress).RunAsync, cancel).ConfigureAwait(false),
                Step.CopyConfigFiles files => await ConfigFiles.CopyAsync(files, cancel).ConfigureAwait(false),
                Step.ConfigureStandby configure => Configure(configure),
                Step.StartStandby start => await new StandbyStart(context).RunAsync(start, cancel).ConfigureAwait(false),
                Step.FinishClone finish => Finish(finish, cancel),
                _ => throw new InvalidOperationException($"the step {step.GetType().Name} is nobody's"),
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new StepOutcome.Failed(new Problem($"could not {step.Describe()}", e.Message, "Make room or mend the cause, and run the command again."), ExitCode.SystemFailure);
        }
    }

    public void Dispose()
    {
        _lock?.Dispose();
        _direct?.Dispose();
    }

    private async Task<StepOutcome> BeginAsync(Step.BeginClone step, CancellationToken cancel)
    {
        _lock ??= await TargetDirectory.BeginAsync(step, cancel).ConfigureAwait(false);
        return new StepOutcome.Done();
    }

    private StepOutcome Fetched(StepOutcome outcome)
    {
        _fetched = (outcome as StepOutcome.Done)?.Copied;
        return outcome;
    }

    // What came over the network came a step earlier.
    private async Task<StepOutcome> CombineAsync(CombineCopy copy, CancellationToken cancel)
    {
        StepOutcome outcome = await TimedAsync(new CombineRunner(copy, _progress, context.Clock).RunAsync, cancel).ConfigureAwait(false);
        return outcome is StepOutcome.Done { Copied: { } combined } done
            ? done with { Copied = combined with { BytesMoved = _fetched?.BytesMoved, Duration = combined.Duration + (_fetched?.Duration ?? TimeSpan.Zero) } }
            : outcome;
    }

    /// <summary>Copies, and says how long that took.</summary>
    private async Task<StepOutcome> TimedAsync(Func<CancellationToken, Task<StepOutcome>> copy, CancellationToken cancel)
    {
        long start = context.Clock.GetTimestamp();
        StepOutcome outcome = await copy(cancel).ConfigureAwait(false);
        return outcome is StepOutcome.Done { Copied: { } copied } done
            ? done with { Copied = copied with { Duration = context.Clock.GetElapsedTime(start) } }
            : outcome;
    }

    private async Task<StepOutcome> CopyDirectlyAsync(Step.CopyDirectly step, CancellationToken cancel)
    {
        _direct?.Dispose();
        _direct = new DirectRunner(step.Copy, _connector, _progress, context.Clock);
        return await _direct.RunAsync(cancel).ConfigureAwait(false);
    }

    private async Task<StepOutcome> VerifyAsync(Step.VerifyCopy step, CancellationToken cancel)
    {
        _progress.Report(new CopyProgress("verifying the copy"));
        ProgramResult result = await ExternalProgram
            .RunAsync(step.Program, ["--exit-on-error", step.Directory], ProgramEnvironment.PlainMessages, VerifyWithin, cancel)
            .ConfigureAwait(false);
        return result.Succeeded
            ? new StepOutcome.Done("every file and all WAL are as the manifest says")
            : new StepOutcome.Failed(
                new Problem("the copy differs from the source's manifest", result.Explain(step.Program), "Run the command again; if it happens twice, check disks and network."),
                ExitCode.BadBaseBackup);
    }

    private static StepOutcome Configure(Step.ConfigureStandby step)
    {
        bool merged = AutoConf.Merge(step.Directory, step.Settings);
        bool signal = SignalFiles.WriteStandby(step.Directory);
        return merged || signal ? new StepOutcome.Done() : new StepOutcome.AlreadyDone();
    }

    private StepOutcome.Done Finish(Step.FinishClone step, CancellationToken cancel)
    {
        _progress.Report(new CopyProgress("flushing the copy to disk"));
        if (step.Method == CloneMethod.Direct)
        {
            TargetDirectory.RemoveEqualConfiguration(step.DataDirectory);
            _direct?.Manifest?.Write(step.DataDirectory);
        }

        if (step.Method is CloneMethod.BaseBackup or CloneMethod.Command)
            TargetDirectory.MoveIntoPlace(step, cancel);
        else
            TargetDirectory.PlaceControlFile(step, cancel);
        TargetDirectory.RemoveMarker(step.DataDirectory);
        Dispose();
        return new StepOutcome.Done();
    }

    private static StepOutcome.Done Did(Action action)
    {
        action();
        return new StepOutcome.Done();
    }

    private sealed class Unheard : IProgress<CopyProgress>
    {
        public void Report(CopyProgress value) { }
    }
}

using Repmgr.Core.Hosts;
using Repmgr.Core.Planning;
using Repmgr.Core.Planning.Services;
using Repmgr.Core.Problems;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Execution;

/// <summary>Starts, stops, restarts and reloads the local server.</summary>
internal sealed class ServiceSteps(StepContext context)
{
    public async Task<StepOutcome> ControlAsync(Step.ControlServer step, CancellationToken cancel)
    {
        StepOutcome outcome = await LocalHost.ServerControlAsync(context.Settings, null, cancel) switch
        {
            Detected<ServerControl>.Found found => await ActAsync(found.Value, step, cancel),
            Detected<ServerControl>.Unclear unclear => new StepOutcome.Failed(unclear.Problem, ExitCode.LocalCommand),
            _ => throw new InvalidOperationException("a detection of no known kind"),
        };
        // As in repmgr 5 the command has one code, whichever action failed.
        return outcome is StepOutcome.Failed failed ? failed with { ExitCode = ExitCode.LocalCommand } : outcome;
    }

    public async Task<StepOutcome> CheckpointAsync(Step.Checkpoint step, CancellationToken cancel)
    {
        ConnectResult connected = await context.Connector.OpenAsync(step.On, cancel);
        if (connected is not ConnectResult.Opened opened)
            return Without(connected.Failure);

        await using PostgresSession session = opened.Session;
        return await session.ExecuteAsync("CHECKPOINT", step.Within, cancel) is Answer<int>.Failed failed ? Without(failed.Reason) : new StepOutcome.Done();
    }

    // The server writes one itself when it is stopped.
    private static StepOutcome.Done Without(string? why) => new($"no checkpoint was written, so that the server takes longer to stop: {why}");

    private static Task<StepOutcome> ActAsync(ServerControl control, Step.ControlServer step, CancellationToken cancel) => step.Action switch
    {
        ServiceAction.Start => control.StartAsync(step.Within, cancel),
        ServiceAction.Stop => control.StopAsync(step.Within, cancel),
        ServiceAction.Restart => control.RestartAsync(step.Within, cancel),
        ServiceAction.Reload => control.ReloadAsync(step.Within, cancel),
        _ => throw new ArgumentOutOfRangeException(nameof(step), step.Action, "an action that is not the service manager's"),
    };
}

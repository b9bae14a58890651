using System.Globalization;
using Npgsql;
using Repmgr.Core.Hosts;
using Repmgr.Core.Planning;
using Repmgr.Core.Problems;
using Repmgr.Engine.Execution;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Cloning;

/// <summary>Starts a standby that was just cloned, and looks on its upstream whether it streams.</summary>
internal sealed class StandbyStart(StepContext context)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(10);

    // What another role's session is about is hidden from a role that may not monitor; whether a slot is used is not.
    private const string StreamsSql =
        """
        SELECT EXISTS (SELECT FROM pg_stat_replication WHERE application_name = $1 AND state = 'streaming')
            OR EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $2 AND active)
        """;

    public async Task<StepOutcome> RunAsync(Step.StartStandby step, CancellationToken cancel)
    {
        long began = context.Clock.GetTimestamp();
        Detected<ServerControl> detected = await LocalHost.ServerControlAsync(context.Settings with { DataDirectory = step.DataDirectory }, null, cancel).ConfigureAwait(false);
        if (detected is not Detected<ServerControl>.Found { Value: var server })
            return new StepOutcome.Failed(((Detected<ServerControl>.Unclear)detected).Problem, ExitCode.NoRestart);

        StepOutcome started = await server.StartAsync(step.StartWithin, cancel).ConfigureAwait(false);
        if (started is StepOutcome.Failed || step.Upstream is null)
            return started;

        TimeSpan up = context.Clock.GetElapsedTime(began);
        string? why = await AwaitAsync(step, cancel).ConfigureAwait(false);
        TimeSpan took = context.Clock.GetElapsedTime(began);
        return why is null
            ? new StepOutcome.Done(string.Create(CultureInfo.InvariantCulture, $"it accepts connections after {up.TotalSeconds:0.0} s and streams from {step.UpstreamName} after {took.TotalSeconds:0.0} s"))
            : new StepOutcome.Failed(
                new Problem(
                    $"the standby was started, but does not stream from {step.UpstreamName}",
                    string.Create(CultureInfo.InvariantCulture, $"Seen after {took.TotalSeconds:0} s: {why}."),
                    "See the standby's log for what its WAL receiver says."),
                ExitCode.FollowFailed);
    }

    /// <summary>Why not, at the last look; null when it streams.</summary>
    private async Task<string?> AwaitAsync(Step.StartStandby step, CancellationToken cancel)
    {
        long began = context.Clock.GetTimestamp();
        while (true)
        {
            string? why = await LookAsync(step, cancel).ConfigureAwait(false);
            if (why is null || context.Clock.GetElapsedTime(began) >= step.StreamWithin)
                return why;
            await Task.Delay(LookEvery, context.Clock, cancel).ConfigureAwait(false);
        }
    }

    private async Task<string?> LookAsync(Step.StartStandby step, CancellationToken cancel)
    {
        ConnectResult connected = await context.Connector.OpenAsync(step.Upstream!, cancel).ConfigureAwait(false);
        if (connected is not ConnectResult.Opened { Session: var session })
            return connected.Failure;
        await using (session.ConfigureAwait(false))
        {
            return await session.ScalarAsync<bool>(
                StreamsSql,
                AnswerWithin,
                cancel,
                new NpgsqlParameter<string> { TypedValue = step.Name },
                new NpgsqlParameter<string> { TypedValue = step.Slot ?? "" }).ConfigureAwait(false) switch
            {
                Answer<bool>.Got { Value: true } => null,
                Answer<bool>.Failed failed => failed.Reason,
                _ => $"no WAL sender there serves \"{step.Name}\"",
            };
        }
    }
}

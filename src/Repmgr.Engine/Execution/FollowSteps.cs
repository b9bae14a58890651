using Repmgr.Core.Cluster;
using Repmgr.Core.Planning;
using Repmgr.Core.Planning.Following;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Engine.Files;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Observation;
using Repmgr.Engine.Postgres;
using Repmgr.Engine.Processes;

namespace Repmgr.Engine.Execution;

/// <summary>Points a standby at another server, and sees that it streams from there.</summary>
internal sealed class FollowSteps(StepContext context)
{
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(25);

    /// <summary>A slot is in use for as long as the server takes to notice that its standby went away.</summary>
    private static readonly TimeSpan SlotWithin = TimeSpan.FromSeconds(10);

    /// <summary>A standby that is catching up is given more time while it comes nearer, but not without end.</summary>
    private const int CatchUpFactor = 10;

    public async Task<StepOutcome> RepointAsync(Step.Repoint step, CancellationToken cancel)
    {
        string what = $"could not point {step.Node.Label} at its upstream";
        ConnectResult connected = await context.Connector.OpenAsync(step.On, cancel);
        if (connected is not ConnectResult.Opened opened)
            return Failed(what, connected.Failure, ExitCode.DbConnection);

        await using PostgresSession session = opened.Session;
        try
        {
            string? failure = step.Way is RepointWay.File file
                ? await ByFileAsync(session, step.Source, file, cancel)
                : await BySqlAsync(session, step.Source, cancel);
            return failure is null ? new StepOutcome.Done() : Failed(what, failure, ExitCode.LocalCommand);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Failed(what, $"{e.Message} The configuration is as it was.", ExitCode.SystemFailure);
        }
    }

    // ALTER SYSTEM cannot run inside a transaction, so it is one statement at a time; the reload takes both into force at once.
    private static async Task<string?> BySqlAsync(PostgresSession session, ReplicationSource source, CancellationToken cancel)
    {
        string[] statements =
        [
            $"ALTER SYSTEM SET primary_conninfo = {SqlText.Literal(source.PrimaryConninfo.Reveal())}",
            source.SlotName is { } slot ? $"ALTER SYSTEM SET primary_slot_name = {SqlText.Literal(slot)}" : "ALTER SYSTEM RESET primary_slot_name",
        ];
        foreach (string statement in statements)
        {
            if (await session.ExecuteAsync(statement, AnswerWithin, cancel) is Answer<int>.Failed failed)
                return failed.Reason;
        }

        return await ReloadAsync(session, cancel);
    }

    private async Task<string?> ByFileAsync(PostgresSession session, ReplicationSource source, RepointWay.File file, CancellationToken cancel)
    {
        AutoConf.Merge(file.DataDirectory, new Dictionary<string, string?>
        {
            ["primary_conninfo"] = source.PrimaryConninfo.Reveal(),
            ["primary_slot_name"] = source.SlotName,
        });
        return file.Reload switch
        {
            FileReload.Sql => await ReloadAsync(session, cancel),
            FileReload.Signal => await SignalAsync(file.DataDirectory, cancel),
            _ => null,
        };
    }

    private static async Task<string?> ReloadAsync(PostgresSession session, CancellationToken cancel) =>
        await session.ScalarAsync<bool>("SELECT pg_catalog.pg_reload_conf()", AnswerWithin, cancel) is Answer<bool>.Failed failed ? failed.Reason : null;

    private async Task<string?> SignalAsync(string dataDirectory, CancellationToken cancel)
    {
        if (context.Settings.ServiceReloadCommand is { } command)
        {
            ProgramResult result = await ExternalProgram.RunShellAsync(command, null, null, AnswerWithin, cancel);
            return result.Succeeded ? null : result.Explain(command);
        }

        return LocalServer.Reload(dataDirectory) ? null : $"There is no running server in \"{dataDirectory}\" that could be told to reload.";
    }

    public async Task<StepOutcome> RestartAsync(Step.RestartServer step, CancellationToken cancel) =>
        await LocalHost.ServerControlAsync(context.Settings, null, cancel) switch
        {
            Core.Hosts.Detected<ServerControl>.Found found => await found.Value.RestartAsync(step.Within, cancel),
            Core.Hosts.Detected<ServerControl>.Unclear unclear => new StepOutcome.Failed(unclear.Problem, ExitCode.NoRestart),
            _ => throw new InvalidOperationException("a detection of no known kind"),
        };

    /// <summary>Looks at both sides until they agree: each alone could be showing a connection of before.</summary>
    public async Task<StepOutcome> AwaitStreamingAsync(Step.AwaitStreaming step, CancellationToken cancel)
    {
        long began = context.Clock.GetTimestamp();
        long progressed = began;
        Lsn sent = Lsn.Zero;
        var observer = new NodeObserver(context.Connector);
        while (true)
        {
            NodeLook[] looks = await Task.WhenAll(observer.LookAsync(step.On, cancel), observer.LookAsync(step.UpstreamOn, cancel));
            var seen = new StreamingView(step.Node, step.Source, looks[0].Probe, looks[1].Probe);
            if (seen.IsStreaming)
            {
                TimeSpan took = context.Clock.GetElapsedTime(began);
                return new StepOutcome.Done($"streaming on timeline {seen.UpstreamTimeline} after {took.TotalMilliseconds:0} ms");
            }

            if (seen.CaughtUpTo is { } position && position > sent)
                (sent, progressed) = (position, context.Clock.GetTimestamp());
            if (context.Clock.GetElapsedTime(progressed) >= step.Within || context.Clock.GetElapsedTime(began) >= step.Within * CatchUpFactor)
            {
                return new StepOutcome.Failed(
                    new Problem(
                        $"{step.Node.Label} does not stream from {step.Upstream.Label}",
                        $"Seen after {context.Clock.GetElapsedTime(began).TotalSeconds:0} s: {string.Join("; ", seen.Missing)}.",
                        step.Otherwise),
                    ExitCode.FollowFailed);
            }

            await Task.Delay(LookEvery, context.Clock, cancel);
        }
    }

    public async Task<StepOutcome> DropSlotAsync(Step.DropSlot step, CancellationToken cancel)
    {
        string what = $"could not drop replication slot \"{step.Slot}\" on {step.ServerName}";
        ConnectResult connected = await context.Connector.OpenAsync(step.Server, cancel);
        if (connected is not ConnectResult.Opened opened)
            return Failed(what, connected.Failure, ExitCode.DbConnection);

        await using PostgresSession session = opened.Session;
        long began = context.Clock.GetTimestamp();
        while (true)
        {
            // What is active cannot be dropped, and a logical slot is not ours whatever its name.
            Answer<IReadOnlyList<int?>> answer = await session.QueryAsync(
                "SELECT active_pid FROM pg_catalog.pg_replication_slots WHERE slot_name = $1 AND slot_type = 'physical'",
                row => row.IsDBNull(0) ? (int?)null : row.GetInt32(0),
                AnswerWithin,
                cancel,
                new Npgsql.NpgsqlParameter<string> { TypedValue = step.Slot });
            switch (answer)
            {
                case Answer<IReadOnlyList<int?>>.Failed failed:
                    return Failed(what, failed.Reason, ExitCode.DbQuery);
                case Answer<IReadOnlyList<int?>>.Got { Value: [] }:
                    return new StepOutcome.AlreadyDone("there is no such slot");
                case Answer<IReadOnlyList<int?>>.Got { Value: [null] }:
                    return await session.ExecuteAsync(
                        "SELECT pg_catalog.pg_drop_replication_slot($1)", AnswerWithin, cancel, new Npgsql.NpgsqlParameter<string> { TypedValue = step.Slot })
                        is Answer<int>.Failed refused ? Failed(what, refused.Reason, ExitCode.DbQuery) : new StepOutcome.Done();
                case Answer<IReadOnlyList<int?>>.Got { Value: [{ } pid] } when context.Clock.GetElapsedTime(began) >= SlotWithin:
                    return Failed(what, $"Process {pid} there still streams from it.", ExitCode.DbQuery);
            }

            await Task.Delay(LookEvery, context.Clock, cancel);
        }
    }

    private static StepOutcome.Failed Failed(string message, string? detail, ExitCode code) => new(new Problem(message, detail), code);
}

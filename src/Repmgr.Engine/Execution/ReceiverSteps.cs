using System.Globalization;
using Repmgr.Core.Hosts;
using Repmgr.Core.Planning;
using Repmgr.Core.Problems;
using Repmgr.Engine.Failover;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Execution;

/// <summary>Keeps a standby's WAL receiver from running by the interval after which it would be started again, and lets it run.</summary>
/// <remarks>https://www.postgresql.org/docs/current/runtime-config-replication.html#GUC-WAL-RETRIEVE-RETRY-INTERVAL</remarks>
internal sealed class ReceiverSteps(StepContext context)
{
    /// <summary>What is added to the interval, as repmgr 5 does: so much tells that the receiver is kept from running.</summary>
    private const int Day = 86_400_000;

    /// <summary>The server starts one within this many looks, or not at all.</summary>
    private const int LooksUntilGone = 25;

    private const string Receiver = "SELECT pid FROM pg_catalog.pg_stat_wal_receiver";

    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan GoneWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);

    public async Task<StepOutcome> SwitchAsync(Step.SwitchReceiver step, CancellationToken cancel)
    {
        ConnectResult connected = await context.Connector.OpenAsync(step.On, cancel);
        if (connected is not ConnectResult.Opened opened)
            return Failed(step, connected.Failure, ExitCode.DbConnection);

        await using PostgresSession session = opened.Session;
        Answer<int> answer = await session.ScalarAsync<int>("SELECT setting::int FROM pg_catalog.pg_settings WHERE name = 'wal_retrieve_retry_interval'", AnswerWithin, cancel);
        if (answer is not Answer<int>.Got { Value: var interval })
            return Failed(step, ((Answer<int>.Failed)answer).Reason, ExitCode.DbQuery);
        bool isRunning = await session.ScalarAsync<int?>(Receiver, AnswerWithin, cancel) is Answer<int?>.Got { Value: not null };
        bool isKept = interval >= Day;
        if (step.Runs ? !isKept : isKept && !isRunning)
            return new StepOutcome.AlreadyDone(step.Runs ? "nothing keeps the receiver from running" : "it is kept from running already");

        if (!step.Runs && await WhyNotOursAsync(session, cancel) is { } foreign)
            return new StepOutcome.Failed(foreign, ExitCode.LocalCommand);
        string? failure = isKept != step.Runs ? null : await SetAsync(session, step.Runs ? interval - Day : interval + Day, cancel);
        failure ??= step.Runs ? null : await EndAsync(session, cancel);
        return failure is null ? new StepOutcome.Done() : Failed(step, failure, ExitCode.DbQuery);
    }

    private static async Task<string?> SetAsync(PostgresSession session, int milliseconds, CancellationToken cancel)
    {
        string set = string.Create(CultureInfo.InvariantCulture, $"ALTER SYSTEM SET wal_retrieve_retry_interval = {milliseconds}");
        return (await session.ExecuteAsync(set, AnswerWithin, cancel) as Answer<int>.Failed)?.Reason
            ?? (await session.ScalarAsync<bool>("SELECT pg_catalog.pg_reload_conf()", AnswerWithin, cancel) as Answer<bool>.Failed)?.Reason;
    }

    /// <summary>
    /// It is no backend that pg_terminate_backend() would end. The first time it is started again at once, since the last failure was long ago: the
    /// interval counts from one failure to the next.
    /// </summary>
    /// <remarks>WaitForWALToBecomeAvailable() in src/backend/access/transam/xlogrecovery.c; pg_signal_backend() in src/backend/storage/ipc/signalfuncs.c.</remarks>
    private async Task<string?> EndAsync(PostgresSession session, CancellationToken cancel)
    {
        long began = context.Clock.GetTimestamp();
        int gone = 0;
        while (context.Clock.GetElapsedTime(began) < GoneWithin)
        {
            Answer<int?> answer = await session.ScalarAsync<int?>(Receiver, AnswerWithin, cancel);
            if (answer is Answer<int?>.Failed failed)
                return failed.Reason;
            if (((Answer<int?>.Got)answer).Value is { } receiver)
                (gone, _) = (0, ProcessSweep.Send(receiver, ProcessSweep.SigTerm));
            else if (++gone > LooksUntilGone)
                return null;
            await Task.Delay(LookEvery, context.Clock, cancel);
        }

        return "The receiver is still running.";
    }

    /// <summary>Why its processes are not ours to be signalled; null: they are.</summary>
    private async Task<Problem?> WhyNotOursAsync(PostgresSession session, CancellationToken cancel) =>
        await LocalHost.DataDirectoryAsync(context.Settings, null, cancel) switch
        {
            Detected<string>.Found { Value: var directory } => LocalServer.WhyNotOurs(directory, session.Connection.ProcessID),
            Detected<string>.Unclear unclear => unclear.Problem,
            _ => throw new InvalidOperationException("a detection of no known kind"),
        };

    private static StepOutcome.Failed Failed(Step.SwitchReceiver step, string? why, ExitCode code) => new(
        new Problem($"could not {step.Describe()}", why, "ALTER SYSTEM needs a superuser, or from PostgreSQL 15 on the right to it: name one with -S/--superuser."), code);
}

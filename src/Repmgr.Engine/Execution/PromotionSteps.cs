using Npgsql;
using Repmgr.Core.Planning;
using Repmgr.Core.Planning.Promotion;
using Repmgr.Core.Problems;
using Repmgr.Engine.Postgres;
using Repmgr.Engine.Processes;

namespace Repmgr.Engine.Execution;

/// <summary>Promotes a standby.</summary>
internal sealed class PromotionSteps(StepContext context)
{
    /// <summary>A promotion takes some tens of milliseconds: who waits a second between looks is a second longer without a primary.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(5);

    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(5);

    public async Task<StepOutcome> PromoteAsync(Step.Promote step, CancellationToken cancel)
    {
        long began = context.Clock.GetTimestamp();
        ConnectResult connected = await context.Connector.OpenAsync(step.On, cancel);
        if (connected is not ConnectResult.Opened opened)
            return Failed(step, "the server cannot be reached", connected.Failure, null, ExitCode.DbConnection);

        await using PostgresSession session = opened.Session;
        switch (await InRecoveryAsync(session, cancel))
        {
            case Answer<bool>.Failed failed:
                return Failed(step, "the server does not answer", failed.Reason, null, ExitCode.DbQuery);
            case Answer<bool>.Got { Value: false }:
                return await WritableAsync(session, cancel) is { } readOnly
                    ? Failed(step, "it is out of recovery, but does not accept writes", readOnly, null, ExitCode.PromotionFailed)
                    : new StepOutcome.AlreadyDone("it accepts writes already");
        }

        return await TellAsync(session, step, cancel) ?? await AwaitAsync(session, step, began, cancel);
    }

    /// <summary>Asks the server to end recovery; null when it was told.</summary>
    private static async Task<StepOutcome?> TellAsync(PostgresSession session, Step.Promote step, CancellationToken cancel)
    {
        switch (step.Way)
        {
            case PromoteWay.Command { Line: var line }:
                ProgramResult ran = await ExternalProgram.RunShellAsync(line, null, null, step.Within, cancel);
                return ran.Succeeded ? null : Failed(
                    step, "service_promote_command failed", ran.Explain(line), "Correct it, or remove it: without it pg_promote is used.", ExitCode.PromotionFailed);
            case PromoteWay.PgCtl { Line: var words }:
                ProgramResult ended = await ExternalProgram.RunAsync(words[0], [.. words.Skip(1)], null, step.Within, cancel);
                return ended.Succeeded ? null : Failed(step, "pg_ctl promote failed", ended.Explain(words[0]), "See the server's log.", ExitCode.PromotionFailed);
            default:
                return await TellBySqlAsync(session, step, cancel);
        }
    }

    // It only signals the server: how it goes on is seen by looking, under our own deadline.
    // https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-RECOVERY-CONTROL
    private static async Task<StepOutcome?> TellBySqlAsync(PostgresSession session, Step.Promote step, CancellationToken cancel) =>
        await session.ScalarAsync<bool>("SELECT pg_catalog.pg_promote(wait => false)", AnswerWithin, cancel) switch
        {
            Answer<bool>.Got { Value: true } => null,
            Answer<bool>.Failed failed => Failed(
                step, "pg_promote failed", failed.Reason,
                failed.IsForLackOfRights ? "The right to execute it was taken away meanwhile; run the command again." : null,
                ExitCode.PromotionFailed),
            _ => Failed(step, "pg_promote could not signal the server", null, "See the server's log.", ExitCode.PromotionFailed),
        };

    private async Task<StepOutcome> AwaitAsync(PostgresSession session, Step.Promote step, long began, CancellationToken cancel)
    {
        while (true)
        {
            Answer<bool> answer = await InRecoveryAsync(session, cancel);
            if (answer is Answer<bool>.Got { Value: false } && await WritableAsync(session, cancel) is null)
            {
                TimeSpan took = context.Clock.GetElapsedTime(began);
                return new StepOutcome.Done($"out of recovery and writable after {took.TotalMilliseconds:0} ms");
            }

            if (answer is Answer<bool>.Failed lost)
                return Failed(step, "the connection was lost while it was promoted", lost.Reason, "See the server's log, and run the command again.", ExitCode.PromotionFailed);

            if (context.Clock.GetElapsedTime(began) >= step.Within)
            {
                return Failed(
                    step,
                    $"it is still in recovery after {step.Within.TotalSeconds:0} s",
                    await ProgressAsync(session, cancel),
                    "The server was told to promote and may still do so; look at it with \"repmgr cluster show\", and run the command again.",
                    ExitCode.PromotionFailed);
            }

            await Task.Delay(LookEvery, context.Clock, cancel);
        }
    }

    private static Task<Answer<bool>> InRecoveryAsync(PostgresSession session, CancellationToken cancel) =>
        session.ScalarAsync<bool>("SELECT pg_catalog.pg_is_in_recovery()", AnswerWithin, cancel);

    /// <summary>A transaction number is only given where something can be written. Why not; null when it can.</summary>
    internal static async Task<string?> WritableAsync(PostgresSession session, CancellationToken cancel)
    {
        Answer<bool> answer = await session.RunAsync(
            async (connection, token) =>
            {
                await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(token);
                // Whatever default_transaction_read_only says: it is about sessions, not about the server.
                await using NpgsqlCommand command = new("SET TRANSACTION READ WRITE", connection);
                await command.ExecuteNonQueryAsync(token);
                command.CommandText = "SELECT pg_catalog.pg_current_xact_id()::text";
                await command.ExecuteScalarAsync(token);
                await transaction.RollbackAsync(token);
                return true;
            },
            AnswerWithin,
            cancel);
        return answer is Answer<bool>.Failed failed ? failed.Reason : null;
    }

    private static async Task<string?> ProgressAsync(PostgresSession session, CancellationToken cancel)
    {
        const string sql =
            """
            SELECT 'It has replayed up to ' || coalesce(pg_last_wal_replay_lsn()::text, 'nothing') || ' of ' || coalesce(pg_last_wal_receive_lsn()::text, 'nothing')
                   || CASE WHEN pg_is_wal_replay_paused() THEN '; replay is paused.' ELSE '.' END
            """;
        return await session.ScalarAsync<string>(sql, AnswerWithin, cancel) is Answer<string?>.Got { Value: { } progress } ? progress : null;
    }

    private static StepOutcome.Failed Failed(Step.Promote step, string what, string? detail, string? hint, ExitCode code) =>
        new(new Problem($"{step.Node.Label} was not promoted: {what}", detail, hint), code);
}

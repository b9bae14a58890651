using Npgsql;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Engine.Execution;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Metadata;

/// <summary>Does the steps that change, or wait for, what stands in schema <c>repmgr</c>.</summary>
internal sealed class MetadataSteps(StepContext context)
{
    /// <summary>Long enough for others that hold the lock on the metadata, short enough for somebody who waits at the terminal.</summary>
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan VotesNoMoreWithin = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    public Task<StepOutcome> EnsureSchemaAsync(Step.EnsureSchema step, CancellationToken cancel) =>
        RunAsync(
            step.On,
            "create the metadata",
            (connection, token) => MetadataSchema.EnsureAsync(
                connection, step.Cluster, takeOver: step.Before is SchemaState.Extension, step.Owner, ProductVersion.Text, token),
            before => before switch
            {
                SchemaState.Present { Version: SchemaState.Current } when step is { Cluster: null, Owner: null } => new StepOutcome.AlreadyDone(),
                SchemaState.Unread => Changed("the right to read repmgr.schema_version is missing by now"),
                SchemaState.Foreign foreign => Changed($"schema \"repmgr\" holds the relation \"{foreign.Relation}\", which is not repmgr's"),
                SchemaState.Present { Version: > SchemaState.Current } newer => Changed($"the metadata has version {newer.Version} by now"),
                SchemaState.Extension when step.Before is not SchemaState.Extension => Changed("extension \"repmgr\" was created meanwhile"),
                _ => new StepOutcome.Done(),
            },
            cancel);

    public Task<StepOutcome> WriteNodeAsync(Step.WriteNode step, CancellationToken cancel) =>
        RunAsync(
            step.On,
            $"write the record of node {step.Record.Id}",
            (connection, token) => NodeStore.WriteAsync(connection, step.Record, step.Deactivate, step.Replace, token),
            result => result switch
            {
                WriteResult.Unchanged => new StepOutcome.AlreadyDone(),
                WriteResult.Occupied occupied => Changed(
                    $"node {occupied.By.Id} was registered meanwhile, with the name \"{occupied.By.Name}\""),
                _ => new StepOutcome.Done(),
            },
            cancel);

    public async Task<StepOutcome> DeleteNodeAsync(Step.DeleteNode step, CancellationToken cancel)
    {
        StepOutcome deleted = await RunAsync(
            step.On,
            $"delete the record of node {step.Record.Id}",
            (connection, token) => NodeStore.DeleteAsync(connection, step.Record.Id, token),
            found => found ? new StepOutcome.Done() : new StepOutcome.AlreadyDone("it was deleted already"),
            cancel);
        return deleted is StepOutcome.Failed ? deleted : await AwaitNoVoterAsync(step, cancel) ?? deleted;
    }

    public Task<StepOutcome> DeleteHistoryAsync(Step.DeleteHistory step, CancellationToken cancel) =>
        RunAsync(
            step.On,
            "delete monitoring history",
            (connection, token) => MonitoringStore.DeleteAsync(connection, step.KeepDays, step.Standby, token),
            rows => rows == 0
                ? new StepOutcome.AlreadyDone("there is no such history")
                : new StepOutcome.Done($"{rows} rows of monitoring history deleted"),
            cancel);

    /// <summary>
    /// The holder's agent sees that the record is gone, removes the voter, and then what the voter's agent has written about itself (docs/adr/0102). Null: it votes no more.
    /// </summary>
    private async Task<StepOutcome.Failed?> AwaitNoVoterAsync(Step.DeleteNode step, CancellationToken cancel)
    {
        DateTimeOffset began = context.Clock.GetUtcNow();
        while (true)
        {
            Answer<bool> counted = await AskAsync(step.On, (connection, token) => VoterStore.IsCountedAsync(connection, step.Record.Id, token), cancel);
            // A role that may delete records and may not see the agents has been told all that it can be told.
            if (counted is Answer<bool>.Got { Value: false } or Answer<bool>.Failed { SqlState: PostgresErrorCodes.InsufficientPrivilege })
                return null;
            if (context.Clock.GetUtcNow() - began >= VotesNoMoreWithin)
            {
                return new StepOutcome.Failed(
                    new Problem(
                        $"the record of {step.Record.Label} is deleted, but it still counts as a voter",
                        Detail: "A majority of the voters, this one among them, has to agree that it goes.",
                        Hint: "The agent of the primary removes it as soon as it can; its log says what it waits for."),
                    ExitCode.DbQuery);
            }

            await Task.Delay(Poll, context.Clock, cancel);
        }
    }

    /// <summary>The standby may be restarting, or lag: only the deadline ends the wait.</summary>
    public async Task<StepOutcome> AwaitNodeRecordAsync(Step.AwaitNodeRecord step, CancellationToken cancel)
    {
        DateTimeOffset began = context.Clock.GetUtcNow();
        bool first = true;
        while (true)
        {
            Answer<IReadOnlyList<NodeRecord>> answer = await AskAsync(step.On, NodeStore.ReadAllAsync, cancel);
            if (answer is Answer<IReadOnlyList<NodeRecord>>.Got got && got.Value.Contains(step.Record))
            {
                TimeSpan waited = context.Clock.GetUtcNow() - began;
                return first ? new StepOutcome.AlreadyDone("it is there already") : new StepOutcome.Done($"it is there after {waited.TotalSeconds:0.0} s");
            }

            first = false;
            if (step.Within is { } within && context.Clock.GetUtcNow() - began >= within)
            {
                return new StepOutcome.Failed(
                    new Problem(
                        $"the record did not reach {step.Record.Label} within {within.TotalSeconds:0} s",
                        Detail: answer is Answer<IReadOnlyList<NodeRecord>>.Failed failed ? $"The last look said: {failed.Reason}" : "It stands on the primary, but not on the standby yet.",
                        Hint: "Check with \"repmgr cluster show\" that the standby is attached and replays."),
                    ExitCode.RegistrationSync);
            }

            await Task.Delay(Poll, context.Clock, cancel);
        }
    }

    private async Task<StepOutcome> RunAsync<T>(
        Conninfo on,
        string what,
        Func<NpgsqlConnection, CancellationToken, Task<T>> work,
        Func<T, StepOutcome> judge,
        CancellationToken cancel)
    {
        switch (await context.Connector.OpenAsync(on, cancel))
        {
            case ConnectResult.Opened opened:
                await using (opened.Session)
                {
                    return await opened.Session.RunAsync(work, Within, cancel) switch
                    {
                        Answer<T>.Got got => judge(got.Value),
                        Answer<T>.Failed failed => new StepOutcome.Failed(
                            new Problem($"could not {what}", Detail: $"{failed.Reason.TrimEnd('.')}."), ExitCode.DbQuery),
                        _ => throw new InvalidOperationException("an answer of no known kind"),
                    };
                }

            case var unreached:
                return new StepOutcome.Failed(
                    new Problem($"could not {what}: the server cannot be reached any more", Detail: $"{unreached.Failure?.TrimEnd('.')}."),
                    ExitCode.DbConnection);
        }
    }

    private async Task<Answer<T>> AskAsync<T>(
        Conninfo on, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancel)
    {
        ConnectResult result = await context.Connector.OpenAsync(on, cancel);
        if (result is not ConnectResult.Opened opened)
            return new Answer<T>.Failed(null, result.Failure ?? "");

        await using (opened.Session)
            return await opened.Session.RunAsync(work, Within, cancel);
    }

    private static StepOutcome.Failed Changed(string detail) => new(
        new Problem("the metadata changed while this command was at work", Detail: $"{char.ToUpperInvariant(detail[0])}{detail[1..]}.", Hint: "Run the command again."),
        ExitCode.DbQuery);
}

using System.Globalization;
using System.Text;
using Npgsql;
using Repmgr.Core.Checks;
using Repmgr.Core.Postgres;

namespace Repmgr.Engine.Postgres;

/// <summary>What came of a replication connection.</summary>
public abstract record ReplicationAnswer
{
    private ReplicationAnswer() { }

    /// <summary>It was let in.</summary>
    /// <param name="SystemIdentifier">The cluster's identity.</param>
    /// <param name="Timeline">The timeline the server is on; of a standby, the one it replays or receives.</param>
    /// <param name="End">The end of its WAL that it can send.</param>
    /// <param name="History">The history of its timeline.</param>
    public sealed record Identified(ulong SystemIdentifier, int Timeline, Lsn End, TimelineHistory History) : ReplicationAnswer;

    public sealed record Refused(ReplicationRefusal Why) : ReplicationAnswer;
}

/// <summary>
/// Logs in the way a standby does and asks the server who it is. The only way to see its timeline history without superuser's
/// rights, and the proof that <c>pg_hba.conf</c> lets replication in from here.
/// </summary>
/// <remarks>https://www.postgresql.org/docs/current/protocol-replication.html</remarks>
public sealed class ReplicationLogin(PostgresConnector connector)
{
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(5);

    /// <summary>Logs in to the first host that lets us in, exactly as an ordinary connection would, and asks.</summary>
    /// <param name="conninfo">How the server is reached, with the replication user.</param>
    /// <param name="cancel">The caller gives up; then <see cref="OperationCanceledException"/> is thrown.</param>
    public async Task<ReplicationAnswer> IdentifyAsync(Conninfo conninfo, CancellationToken cancel)
    {
        ConnectResult connected = await connector.OpenForReplicationAsync(conninfo, cancel).ConfigureAwait(false);
        if (connected is not ConnectResult.Opened { Session: var session })
            return Refused((connected as ConnectResult.Rejected)?.SqlState, connected.Failure ?? "");

        await using (session.ConfigureAwait(false))
        {
            Answer<ReplicationAnswer> answer = await session.RunAsync(AskAsync, AnswerWithin, cancel).ConfigureAwait(false);
            return answer switch
            {
                Answer<ReplicationAnswer>.Got got => got.Value,
                Answer<ReplicationAnswer>.Failed failed => Refused(failed.SqlState, failed.Reason),
                _ => throw new InvalidOperationException("an answer of no known kind"),
            };
        }
    }

    private static async Task<ReplicationAnswer> AskAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        var commands = new ReplicationCommands(connection);
        await using (commands.ConfigureAwait(false))
        {
            object?[] system = await commands.RowAsync("IDENTIFY_SYSTEM", cancel).ConfigureAwait(false);
            int timeline = Convert.ToInt32(system[1], CultureInfo.InvariantCulture);
            TimelineHistory history = TimelineHistory.First;
            if (timeline > 1)
            {
                object?[] file = await commands.RowAsync(string.Create(CultureInfo.InvariantCulture, $"TIMELINE_HISTORY {timeline}"), cancel).ConfigureAwait(false);
                if (!TimelineHistory.TryParse(timeline, Text(file[1]), out history))
                    return Refused(null, $"the history of its timeline {timeline} is not understood");
            }

            return ulong.TryParse(Text(system[0]), CultureInfo.InvariantCulture, out ulong identifier) && Lsn.TryParse(Text(system[2]), out Lsn end)
                ? new ReplicationAnswer.Identified(identifier, timeline, end, history)
                : Refused(null, $"its answer to IDENTIFY_SYSTEM is not understood: {Text(system[0])}, {Text(system[2])}");
        }
    }

    // The content of a history is called bytea until PostgreSQL 14 and text since then.
    private static string Text(object? value) => value switch
    {
        byte[] bytes => Encoding.UTF8.GetString(bytes),
        string text => text,
        _ => "",
    };

    private static ReplicationAnswer.Refused Refused(string? sqlState, string reason) => new(new ReplicationRefusal(sqlState, reason));

    /// <summary>The answer as what a follower needs to know of its upstream.</summary>
    /// <param name="answer">What the server said.</param>
    /// <param name="isPrimary">It writes WAL itself.</param>
    /// <param name="grows">What it does not have yet will come.</param>
    public static SourceEnd? AsSource(ReplicationAnswer answer, bool isPrimary, bool grows) => answer is ReplicationAnswer.Identified seen
        ? new SourceEnd(seen.SystemIdentifier, seen.Timeline, seen.End, seen.History, grows, isPrimary)
        : null;
}

using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Npgsql;
using Npgsql.Replication;
using Repmgr.Core.Checks;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

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

    /// <param name="SqlState">PostgreSQL's code; null when there is none.</param>
    /// <param name="Reason">Why not, without any password.</param>
    public sealed record Refused(string? SqlState, string Reason) : ReplicationAnswer;
}

/// <summary>
/// Logs in the way a standby does and asks the server who it is. The only way to see its timeline history without superuser's
/// rights, and the proof that <c>pg_hba.conf</c> lets replication in from here.
/// </summary>
/// <remarks>https://www.postgresql.org/docs/current/protocol-replication.html</remarks>
public sealed class ReplicationLogin(ConninfoEnvironment environment)
{
    private readonly ConninfoResolver _resolver = new(environment);

    /// <summary>With the surroundings of this process.</summary>
    public ReplicationLogin() : this(ConninfoEnvironment.OfProcess()) { }

    /// <summary>Tries the hosts in turn; each within <c>connect_timeout</c>, the questions included.</summary>
    /// <param name="conninfo">How the server is reached, with the replication user.</param>
    /// <param name="cancel">The caller gives up; then <see cref="OperationCanceledException"/> is thrown.</param>
    public async Task<ReplicationAnswer> IdentifyAsync(Conninfo conninfo, CancellationToken cancel)
    {
        // "replication" is the database that lines of password files for replication name.
        Conninfo wanted = conninfo.With("dbname", "replication").WithDefault("fallback_application_name", "repmgr");
        if (_resolver.Resolve(wanted, out IReadOnlyList<Problem> problems) is not { } settings)
            return new ReplicationAnswer.Refused(null, string.Join("; ", problems.Select(problem => problem.Message)));

        TimeSpan timeout = settings.ConnectTimeout is { Ticks: > 0 } given ? given : PostgresConnector.DefaultTimeout;
        ReplicationAnswer answer = new ReplicationAnswer.Refused(null, "no host is named");
        foreach (HostTarget host in settings.Hosts)
        {
            answer = await IdentifyAsync(settings, host, timeout, cancel).ConfigureAwait(false);
            if (answer is ReplicationAnswer.Identified)
                break;
        }

        return answer;
    }

    private async Task<ReplicationAnswer> IdentifyAsync(ConnectionSettings settings, HostTarget host, TimeSpan timeout, CancellationToken cancel)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(timeout + TimeSpan.FromSeconds(1));
        string? root = settings.RootCertificate == "system" ? null : settings.RootCertificate ?? _resolver.DefaultFile("root.crt");
        string? password = settings.Password ?? _resolver.FindPassword(settings, host, out _);
        try
        {
            return await AskAsync(NpgsqlMapping.ReplicationString(settings, host, password, timeout, root), deadline.Token)
                .WaitAsync(timeout + TimeSpan.FromSeconds(2), cancel).ConfigureAwait(false);
        }
        catch (PostgresException e)
        {
            return new ReplicationAnswer.Refused(e.SqlState, $"connection to {host} failed: {FailureText.Of(e)}");
        }
        catch (Exception e) when (!cancel.IsCancellationRequested && e is OperationCanceledException or TimeoutException)
        {
            return new ReplicationAnswer.Refused(null, string.Create(
                CultureInfo.InvariantCulture, $"connection to {host} failed: no answer within {timeout.TotalSeconds + 1:0.#} s"));
        }
        catch (Exception e) when (e is NpgsqlException or IOException or System.Net.Sockets.SocketException or InvalidOperationException or ArgumentException)
        {
            return new ReplicationAnswer.Refused(null, $"connection to {host} failed: {FailureText.Of(e)}");
        }
    }

    private static async Task<ReplicationAnswer> AskAsync(string connectionString, CancellationToken cancel)
    {
        PhysicalReplicationConnection connection = new(connectionString);
        await using (connection.ConfigureAwait(false))
        {
            await connection.Open(cancel).ConfigureAwait(false);
            ReplicationSystemIdentification system = await connection.IdentifySystem(cancel).ConfigureAwait(false);
            int timeline = (int)system.Timeline;
            TimelineHistory history = TimelineHistory.First;
            if (timeline > 1)
            {
                string content = await HistoryAsync(connection, timeline, cancel).ConfigureAwait(false);
                if (!TimelineHistory.TryParse(timeline, content, out history))
                    return new ReplicationAnswer.Refused(null, $"the history of its timeline {timeline} is not understood");
            }

            return new ReplicationAnswer.Identified(
                ulong.Parse(system.SystemId, CultureInfo.InvariantCulture), timeline, new Lsn((ulong)system.XLogPos), history);
        }
    }

    // Npgsql's own TimelineHistory() expects the content as bytea, which it was called until PostgreSQL 14; since then it is text,
    // and the call fails with an InvalidCastException. The row that it reads is all that is needed.
    private static async Task<string> HistoryAsync(PhysicalReplicationConnection connection, int timeline, CancellationToken cancel)
    {
        object[] row = await ReadSingleRow(connection, string.Create(CultureInfo.InvariantCulture, $"TIMELINE_HISTORY {timeline}"), cancel)
            .ConfigureAwait(false);
        return row[1] switch
        {
            byte[] bytes => Encoding.UTF8.GetString(bytes),
            string text => text,
            _ => "",
        };
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "ReadSingleRow")]
    private static extern Task<object[]> ReadSingleRow(ReplicationConnection connection, string command, CancellationToken cancel);

    /// <summary>The answer as what a follower needs to know of its upstream.</summary>
    /// <param name="answer">What the server said.</param>
    /// <param name="isPrimary">It writes WAL itself.</param>
    /// <param name="grows">What it does not have yet will come.</param>
    public static SourceEnd? AsSource(ReplicationAnswer answer, bool isPrimary, bool grows) => answer is ReplicationAnswer.Identified seen
        ? new SourceEnd(seen.SystemIdentifier, seen.Timeline, seen.End, seen.History, grows, isPrimary)
        : null;
}

using Npgsql;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Failover;

/// <summary>
/// The agent's own commits, which wait for standbys as those of clients do (R3, R9), and looks of fresh connections at what they wait for (R16). A commit that is not
/// acknowledged is waited for, not cancelled and not repeated: cancelled it would be reported as done, and each one takes a connection.
/// </summary>
/// <param name="node">Whose server.</param>
/// <param name="isSynchronous">The cluster remembers a set.</param>
/// <param name="kept">What this node, a holder that serves, is to have in force, and since when it has; null: it is none.</param>
/// <param name="flag">Learns from each look.</param>
/// <param name="nudge">Something is new to be seen.</param>
internal sealed class CommitProbe(AgentNode node, Func<bool> isSynchronous, Func<KeptSet?> kept, SyncFlag flag, Action nudge, ILog log)
{
    /// <summary>A message in the WAL is a write like any other, with a commit and its flush, and leaves no row behind.</summary>
    public const string CommitSql = "SELECT pg_catalog.pg_logical_emit_message(true, 'repmgr', '')::text";

    private static readonly TimeSpan LookWithin = TimeSpan.FromSeconds(3), LookEvery = TimeSpan.FromSeconds(1), IdleEvery = TimeSpan.FromSeconds(2);

    private readonly Nudged _wanted = new();
    private volatile bool _isKept;
    private volatile AcknowledgedBox? _commit;
    private volatile FreshLook? _look;
    private readonly SaidOnce _said = new(log);

    /// <summary>The newest commit that was acknowledged while what is to be in force was.</summary>
    public AcknowledgedCommit? LastCommit => _commit?.Commit;

    public FreshLook? Look => _look;

    /// <summary>Why the set protects less than it says; null: nothing is known to speak against it.</summary>
    public string? Unprotected =>
        kept() is not { } set || Look is not { } look ? null
        : set.Since <= look.At && look.Names != set.Set.Names ? $"synchronous_standby_names is '{look.Names}', and was not set by this agent"
        : look.Weak.Count > 0 ? string.Join("; ", look.Weak)
        : null;

    /// <summary>Commits at once: a set that was just put in force waits for it.</summary>
    public void Nudge() => _wanted.Nudge();

    /// <summary>After each turn of the machine: where a set is to be kept from now on, it commits at once, and where none is, it sleeps.</summary>
    public void Turned()
    {
        bool isKept = kept() is not null && isSynchronous();
        if (isKept == _isKept)
            return;
        _isKept = isKept;
        Nudge();
    }

    /// <summary>Until it is cancelled; a commit that waits for standbys is not, and ends with the process.</summary>
    /// <param name="every">How often it commits.</param>
    public IEnumerable<Task> Run(TimeSpan every, CancellationToken cancel) => [CommitAsync(every, cancel), LookAsync(cancel)];

    private async Task CommitAsync(TimeSpan every, CancellationToken cancel)
    {
        PostgresSession? session = null;
        while (true)
        {
            await _wanted.WaitAsync(_isKept ? every : Timeout.InfiniteTimeSpan, cancel);
            if (!_isKept)
            {
                _commit = null;
                if (session is not null)
                    await session.DisposeAsync();
                session = null;
                continue;
            }

            try
            {
                session ??= await OpenAsync(cancel);
                if (session is not null)
                    await CommitOnceAsync(session, cancel);
            }
            catch (Exception gone) when (gone is NpgsqlException or IOException or InvalidOperationException or ObjectDisposedException)
            {
                // The server was stopped, or it refused: whether it works at all is seen elsewhere.
                await session!.DisposeAsync();
                session = null;
            }
        }
    }

    private async Task<PostgresSession?> OpenAsync(CancellationToken cancel)
    {
        if (await node.Connector.OpenAsync(node.Conninfo, LookWithin, cancel) is not ConnectResult.Opened opened)
            return null;
        if (await opened.Session.ExecuteAsync("SET synchronous_commit = on", LookWithin, cancel) is Answer<int>.Got)
            return opened.Session;
        await opened.Session.DisposeAsync();
        return null;
    }

    private async Task CommitOnceAsync(PostgresSession session, CancellationToken cancel)
    {
        TimeSpan sent = BootClock.Now;
        string position = await session.UncancelledAsync(async connection =>
        {
            await using NpgsqlCommand command = new(CommitSql, connection);
            return (string)(await command.ExecuteScalarAsync(CancellationToken.None))!;
        });
        // What somebody else has put in force since then would have acknowledged it, too.
        if (await LookOnceAsync(cancel) is { } look && look.Names == kept()?.Set.Names && Lsn.TryParse(position, out Lsn lsn))
            _commit = new AcknowledgedBox(new AcknowledgedCommit(sent, lsn));
        nudge();
    }

    private async Task LookAsync(CancellationToken cancel)
    {
        while (true)
        {
            await Task.Delay(isSynchronous() ? LookEvery : IdleEvery, cancel);
            if (isSynchronous())
                await LookOnceAsync(cancel);
            else
                _look = null;
        }
    }

    private async Task<FreshLook?> LookOnceAsync(CancellationToken cancel)
    {
        if (await FreshLook.TakeAsync(node.Connector, node.Conninfo, LookWithin, cancel) is not Answer<FreshLook>.Got { Value: var look })
            return null;
        flag.See(look);
        _look = look;
        Say();
        return look;
    }

    private void Say()
    {
        string unprotected = Unprotected ?? "";
        if (!_said.IsNew(unprotected))
            return;
        if (unprotected.Length > 0)
        {
            log.Warning(
                "not all commits are protected", $"The reason: {unprotected}.",
                "Commits may be acknowledged that no standby has, and a failover would lose them. Leave synchronous_standby_names to repmgrd, and set synchronous_commit to on.");
        }
        else
        {
            log.Notice("nothing is known any more that would keep commits from being protected");
        }
    }

    private sealed record AcknowledgedBox(AcknowledgedCommit Commit);
}

/// <summary>What a holder has in force, or is putting in force.</summary>
/// <param name="Since">Null: it is being put in force.</param>
internal sealed record KeptSet(StampedSet Set, TimeSpan? Since);

using Npgsql;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Cloning;
using Repmgr.Engine.Daemon;
using Repmgr.Engine.Files;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Failover;

/// <summary>
/// Looks at the own server for the agent (R8, R16): whether it is there, whether it lets new connections in, whether what it writes
/// commits, and how far its WAL goes. What it does not know it does not say.
/// </summary>
/// <param name="node">Whose server.</param>
/// <param name="observed">Hears each view, and when the look began.</param>
/// <param name="probe">Its commits, and what keeps them from being protected.</param>
/// <param name="log">Hears what keeps a look from being taken.</param>
internal sealed class ServerEyes(AgentNode node, Action<TimeSpan, ServerView> observed, Func<CommitProbe> probe, ILog log) : IAsyncDisposable
{
    /// <summary>A server that does nothing for so long hangs.</summary>
    public static readonly TimeSpan HealthWithin = TimeSpan.FromSeconds(3);

    public static readonly TimeSpan Every = TimeSpan.FromMilliseconds(250);

    // Of a server that does as it did: that it ends is noticed in the same instant. What it was silent for before a look counts, so that one that hangs is noticed as soon (docs/adr/0119).
    private static readonly TimeSpan SteadyEvery = TimeSpan.FromMilliseconds(500), SteadyWithin = HealthWithin - (SteadyEvery - Every);

    // To connect and to ask may take a deadline each. What takes longer waits for a file.
    private static readonly TimeSpan LookWithin = HealthWithin * 2;

    // Who refuses does it at once.
    private static readonly TimeSpan RefusedWithin = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan PingEvery = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan ProbeEvery = TimeSpan.FromSeconds(1);

    private readonly Nudged _nudged = new();
    private PostgresSession? _session;
    private TimeSpan _within = HealthWithin;
    private TimeSpan _probedAt;
    private TimeSpan _pingedAt;
    private int _watched;
    private volatile bool _isWatched;
    private volatile bool _writes;
    private TimeSpan? _diskFailsSince;
    private TimeSpan? _silentSince;
    private readonly SaidOnce _trouble = new(log);
    private readonly ClosedServer _closed = new(node);

    /// <summary>The furthest position that was seen to be flushed.</summary>
    public Lsn? Flushed
    {
        get => _closed.Flushed;
        private set => _closed.Flushed = value;
    }

    /// <summary>Looks again at once: something was done to the server.</summary>
    public void Nudge()
    {
        _closed.Forget();
        _nudged.Nudge();
    }

    /// <summary>The data are made anew: what was known of them is of another copy.</summary>
    public void Forget() => Flushed = null;

    /// <summary>Looks once and says nothing of it: then there is a connection.</summary>
    public Task WarmUpAsync(CancellationToken cancel) => TryLookAsync(cancel);

    public async Task RunAsync(CancellationToken cancel)
    {
        while (true)
        {
            TimeSpan taken = BootClock.Now;
            ServerView? view = await LookInTimeAsync(taken, cancel);
            if (view is not null)
                observed(taken, view);
            bool isSteady = view is ServerView.Writable or ServerView.Recovering { Upstream: not null };
            _within = isSteady ? SteadyWithin : HealthWithin;
            await _nudged.WaitAsync(isSteady ? SteadyEvery : Every, cancel);
        }
    }

    public ValueTask DisposeAsync() => ForgetAsync();

    /// <summary>Queries have deadlines, files have none: a look at a server that writes, which does not come back, tells that its disk hangs (R16).</summary>
    private async Task<ServerView?> LookInTimeAsync(TimeSpan taken, CancellationToken cancel)
    {
        Task<ServerView?> look = Task.Run(async () => await TryLookAsync(cancel) is { } view ? view with { Identity = Identity() } : null, CancellationToken.None);
        while (true)
        {
            try
            {
                return await look.WaitAsync(LookWithin, cancel);
            }
            catch (TimeoutException) when (!look.IsCompleted)
            {
                if (!_writes)
                    continue;
                Complain("the data directory does not answer");
                observed(taken, new ServerView.Hung());
            }
        }
    }

    // Files come and go while one looks, and a disk may be full: a look that fails says nothing, and the next one may.
    private async Task<ServerView?> TryLookAsync(CancellationToken cancel)
    {
        try
        {
            return await LookAsync(cancel);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            Complain(failed.Message);
            return null;
        }
    }

    private async Task<ServerView?> LookAsync(CancellationToken cancel)
    {
        // Of a postmaster that is watched, and whose session is open, the files have nothing new to say.
        if (_session is null || !_isWatched)
        {
            if (LocalServer.Look(node.DataDirectory) is not LocalServerState.Running running)
                return await DownAsync(cancel);
            Watch(running.File.Pid);
            _closed.HasPostmaster(running.File.Pid);
            if (!running.File.IsUp && running.File.Status != PostmasterStatus.Stopping)
                return await _closed.StartingAsync(cancel);
        }

        TimeSpan began = BootClock.Now;
        Task<NodeProbe?> ping = PingAsync(cancel);
        ServerView? view = await QueryAsync(cancel);
        NodeProbe? refusal = await ping;
        // Only a new connection tells of a frozen postmaster; only a query tells of backends that hang.
        if (BootClock.Now - (_silentSince ?? began) >= _within && (view is null || refusal is NodeProbe.Silent))
            return LocalServer.Look(node.DataDirectory) is LocalServerState.Running ? new ServerView.Hung() : null;
        if (view is null && refusal is NodeProbe.Rejected)
            return await _closed.StartingAsync(cancel);
        // It answers, and takes no more writes: a full disk, or one that fails.
        if (view is null && _writes && _diskFailsSince is { } since && BootClock.Now - since >= HealthWithin)
            return new ServerView.Hung();
        return view;
    }

    /// <summary>
    /// Why a look failed, by PostgreSQL's code: https://www.postgresql.org/docs/current/errcodes-appendix.html. A connection that a full disk keeps out has the one for
    /// internal errors: "could not write init file", src/backend/utils/cache/relcache.c.
    /// </summary>
    private void Note(string? sqlState) => _diskFailsSince =
        sqlState is PostgresErrorCodes.DiskFull or PostgresErrorCodes.IoError or PostgresErrorCodes.InternalError ? _diskFailsSince ?? BootClock.Now : null;

    /// <summary>Data that have none yet get one; while they are overwritten there is none (R12).</summary>
    private ulong? Identity()
    {
        if (CloneMarker.Read(node.DataDirectory) is not null)
            return null;
        try
        {
            return DataIdentity.Ensure(node.DataDirectory);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            Complain(failed.Message);
            return null;
        }
    }

    private async Task<ServerView?> DownAsync(CancellationToken cancel)
    {
        await ForgetAsync();
        (_writes, _diskFailsSince, _silentSince) = (false, null, null);
        return await _closed.DownAsync(cancel);
    }

    private void Watch(int pid)
    {
        if (pid == _watched)
            return;
        _watched = pid;
        _isWatched = PostmasterWatch.When(pid, () =>
        {
            if (pid == _watched)
                _isWatched = false;
            bool isLeft = ProcessSweep.Signal(node.Canonical, 0, 0) != 0;
            observed(BootClock.Now, isLeft ? new ServerView.Hung { IsHeadless = true } : new ServerView.Down(null));
            Nudge();
        });
    }

    private async Task<NodeProbe?> PingAsync(CancellationToken cancel)
    {
        PostgresSession? session = _session;
        if (session is null || BootClock.Now - _pingedAt < PingEvery)
            return null;
        _pingedAt = BootClock.Now;
        return await ServerPing.TryAsync(session.Host, session.User, session.Database, _within, cancel);
    }

    private async Task<ServerView?> QueryAsync(CancellationToken cancel)
    {
        if (_session is null)
        {
            TimeSpan began = BootClock.Now;
            ConnectResult connected = await node.Connector.OpenAsync(node.Conninfo, HealthWithin, cancel);
            Complain(connected.Failure);
            // A connect_timeout may be shorter than the deadline: what counts is for how long nobody has answered.
            _silentSince = connected is ConnectResult.Silent && BootClock.Now - began >= RefusedWithin ? _silentSince ?? began : null;
            if (connected is not ConnectResult.Opened opened)
            {
                Note((connected as ConnectResult.Rejected)?.SqlState);
                return null;
            }

            _session = opened.Session;
        }

        Answer<SeenServer?> answer = await _session.RunAsync(ReadAsync, _within, cancel);
        Note((answer as Answer<SeenServer?>.Failed)?.SqlState);
        if (answer is not Answer<SeenServer?>.Got { Value: { } seen })
        {
            await ForgetAsync();
            return null;
        }

        (_writes, _silentSince) = (!seen.InRecovery, null);
        _closed.Forget();
        return seen.InRecovery ? await RecoveringAsync(seen, cancel) : Writable(seen);
    }

    private ServerView.Writable Writable(SeenServer seen)
    {
        // From here on whatever starts this server starts a standby (R5).
        SignalFiles.WriteStandby(node.DataDirectory);
        Flushed = seen.Reached;
        FreshLook? look = probe().Look;
        return new ServerView.Writable(seen.Reached ?? Lsn.Zero)
        {
            LastCommit = probe().LastCommit,
            Senders = [.. seen.Senders],
            Effective = look is null ? null : new EffectiveNames(look.At, look.Names),
            Unprotected = probe().Unprotected,
        };
    }

    private async Task<ServerView> RecoveringAsync(SeenServer seen, CancellationToken cancel)
    {
        Lsn replayed = seen.Reached ?? Lsn.Zero;
        // Before a receiver was asked for, not all that lies on the disk has been replayed (R8).
        Lsn? end = seen.Received is { } received ? Lsn.Max(received, replayed)
            : replayed.Bytes > 0 ? await WalOnDisk.EndAsync(node.DataDirectory, replayed, node.Binaries, cancel)
            : null;
        if (end > Flushed || Flushed is null)
            Flushed = end;
        return new ServerView.Recovering(end, TermSlot.Read(seen.Slot)?.Holder, end > replayed ? (ulong)(end.Value - replayed) : 0)
        {
            Stamp = seen.Stamp,
        };
    }

    private async Task<SeenServer?> ReadAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        SeenServer? seen = await SeenServer.ReadAsync(connection, cancel);
        if (seen is { InRecovery: false } && BootClock.Now - _probedAt >= ProbeEvery)
        {
            await SeenServer.CommitAsync(connection, cancel);
            _probedAt = BootClock.Now;
        }

        return seen;
    }

    private void Complain(string? failure)
    {
        string trouble = failure ?? "";
        if (_trouble.IsNew(trouble) && trouble.Length > 0)
            log.Warning("the agent cannot look at its own server", $"{trouble.TrimEnd('.')}.");
    }

    private async ValueTask ForgetAsync()
    {
        if (_session is { } session)
        {
            _session = null;
            await session.DisposeAsync();
        }
    }
}

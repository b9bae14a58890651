using Repmgr.Core.Failover;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Cloning;

namespace Repmgr.Engine.Failover;

/// <summary>
/// Looks at a server that lets nobody in: one that is down, or that starts (R8). Its WAL is read from <c>pg_wal</c>, where it does not become less: recovery writes none, and
/// what a receiver adds to a server that starts is known upstream.
/// </summary>
/// <param name="node">Whose server.</param>
internal sealed class ClosedServer(AgentNode node)
{
    private int _leaderless;
    private int _postmaster;
    private Lsn? _end;

    /// <summary>The furthest position that was seen to be flushed; null: none yet.</summary>
    public Lsn? Flushed { get; set; }

    /// <summary>Where the WAL ends is to be read anew: something was done to the server, or it lets people in.</summary>
    public void Forget() => _end = null;

    /// <summary>It has a postmaster: of each one's start the WAL is read once.</summary>
    public void HasPostmaster(int process)
    {
        _leaderless = 0;
        if (process != _postmaster)
            (_postmaster, _end) = (process, null);
    }

    /// <summary>It refuses connections, since it starts. Whoever started it: others may need what only it has (R11).</summary>
    public async Task<ServerView> StartingAsync(CancellationToken cancel) => new ServerView.Recovering(await EndAsync(cancel), null, 0) { IsStarting = true };

    /// <summary>It has no postmaster.</summary>
    /// <returns>Null: a process was left behind by its postmaster, or is just about to become one; seen again, it is the former.</returns>
    public async Task<ServerView?> DownAsync(CancellationToken cancel)
    {
        if (ProcessSweep.Signal(node.Canonical, 0, 0) != 0)
            return ++_leaderless > 1 ? new ServerView.Hung { IsHeadless = true } : null;
        _leaderless = 0;
        return new ServerView.Down(await EndAsync(cancel));
    }

    // Data that are being copied end nowhere yet (R12).
    private async Task<Lsn?> EndAsync(CancellationToken cancel) =>
        CloneMarker.Read(node.DataDirectory) is null ? _end ??= await WalOnDisk.EndAsync(node.DataDirectory, Flushed, node.Binaries, cancel) : null;
}

using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Reports;

namespace Repmgr.Engine.Failover;

/// <summary>What an agent says of itself: to the commands, and to whoever asks for its health.</summary>
/// <param name="id">The node.</param>
/// <param name="name">Its name.</param>
/// <param name="state">What its machine knows; null before it runs.</param>
/// <param name="waits">What it waits for before that.</param>
/// <param name="hasWatchdog">A device resets the host when agent and guard are lost together.</param>
internal sealed class AgentReports(NodeId id, string name, Func<AgentState?> state, Func<string?> waits, Func<bool> hasWatchdog)
{
    public AgentReport Report() =>
        (state() is { } known ? AgentReport.Of(known, BootClock.Now) : new AgentReport { Node = id, Role = "Starting", Waits = waits() }) with
        {
            Name = name,
            Version = ProductVersion.Text,
            Pid = Environment.ProcessId,
            HasWatchdog = hasWatchdog(),
        };

    public AgentHealth Health()
    {
        AgentState? now = state();
        ServerView? server = now?.Server;
        var holding = now?.Role as Role.Holding;
        ulong? lag = now is { Leader: { } leader, Server: ServerView.Recovering { Position: { } end } }
            ? end >= leader.Position ? 0 : (ulong)(leader.Position - end)
            : null;
        bool isPrimary = holding is { Stage: HoldingStage.Serving, End: { } until } && until > BootClock.Now && server is ServerView.Writable;
        return new AgentHealth(
            id.Value, name, server is ServerView.Writable or ServerView.Recovering, isPrimary, server is ServerView.Recovering,
            server is ServerView.Recovering { Upstream: not null }, lag, now?.Durable.Term.Number ?? 0,
            holding is not null ? id.Value : Led(now),
            now is null ? "waiting" : now.Role.GetType().Name.ToLowerInvariant(),
            holding?.End - BootClock.Now, now?.Durable.Membership.Voters.Count ?? 0)
        {
            Commits = CommitProtection.Of(now),
        };
    }

    /// <summary>That of a witness, which has no server: it is well when it answers.</summary>
    public AgentHealth HealthOfWitness()
    {
        AgentState? now = state();
        return new AgentHealth(
            id.Value, name, IsRunning: true, IsPrimary: false, IsStandby: false, IsStreaming: false, null, now?.Durable.Term.Number ?? 0, Led(now), "witness", null,
            now?.Durable.Membership.Voters.Count ?? 0);
    }

    private static int? Led(AgentState? now) => now?.Leader is { } leader && leader.Term == now.Durable.Term ? leader.Node.Value : null;
}

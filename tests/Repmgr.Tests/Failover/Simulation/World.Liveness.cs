using Repmgr.Core.Failover.Synchronous;

namespace Repmgr.Tests.Failover.Simulation;

/// <summary>While one node is out, and a majority is connected and able, another takes writes in bounded time (I11).</summary>
internal sealed partial class World
{
    private const int Losses = 4;

    public void LosePrimaries()
    {
        for (int loss = 0; loss < Losses; loss++)
        {
            RunUntil(IsWellNow, _profile.HealsWithin, () => $"I7: not well before it is struck: {Describe()}");
            _isQuietTime = false;
            // Promises of agents that have just started (R1), and the cooldown of a holder that was just promoted (R17), are over.
            RunFor(_profile.Policy.Ttl * 2);
            SimulatedNode lost = Primary!;
            (string fault, TimeSpan within) = StrikeOut(lost);
            RunUntil(() => Nodes.Any(node => node != lost && TakesWrites(node)), within, () => $"I11: {fault}, node {lost.Node}, and nobody takes writes {within.TotalSeconds:0.0} s later: {Describe()}");
            Heal();
        }
    }

    /// <returns>What was done, and within which time it is made up for.</returns>
    private (string Fault, TimeSpan Within) StrikeOut(SimulatedNode node)
    {
        // Clocks of which the one is as much slower than this one's as they may be; a look is late; then sweep, vote, promotion; a candidacy may fail, which takes a second. In the synchronous modes somebody has to follow.
        TimeSpan silence = _profile.Policy.Ttl * 1.05, detection = HealthDeadline + (2 * LookEvery) + node.Policy.FenceBudget;
        TimeSpan election = TimeSpan.FromSeconds(_mode == SyncMode.Off ? 2 : 4);
        switch (_random.Next(5))
        {
            case 0:
                Happen(Fault.Isolate, node);
                return ("cut off", silence + election);
            case 1:
                node.IsGone = true;
                EndAgent(node);
                node.Server.End();
                node.GuardDeadline = null;
                return ("without power", silence + election);
            case 2:
                node.Server.End();
                After(Between(1, 8), () => LookNow(node));
                return ("its server was killed", node.Policy.FenceBudget + election);
            case 3:
                (node.Server.IsFrozen, node.Server.FrozenSince) = (true, Now);
                return ("its server is frozen", detection + election);
            default:
                HangDisk(node);
                return ("its disk hangs", detection + election);
        }
    }

    private bool TakesWrites(SimulatedNode node) =>
        node.Acknowledges && (_mode == SyncMode.Off || _acknowledged.ContainsKey(node.Server.Wal.Promotions[^1].Promotion));

    private void HangDisk(SimulatedNode node) => (node.Server.HasHungDisk, node.Server.IsFrozen, node.Server.FrozenSince) = (true, true, Now);

    private static void AwakeDisk(SimulatedNode node)
    {
        node.Server.HasHungDisk = false;
        node.Server.IsFrozen = false;
    }
}

using System.Security.Cryptography;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Engine.Logging;

namespace Repmgr.Engine.Failover;

/// <summary>The eyes and hands of an agent, wired together.</summary>
internal sealed class AgentParts : IAsyncDisposable
{
    private readonly StateDirectory _state;

    public AgentParts(AgentNode node, StateDirectory state, AgentPolicy policy, AgentCertificates? certificates, LoopLink loop, Action<ClusterEvent> announce, ILog log)
    {
        _state = state;
        Seal = new MessageSeal(state.Secret()!);
        Peers = Failover.Peers.Of(state, Seal, Boot, policy.Ttl / 2, loop, certificates, log);
        CommitProbe? probe = null;
        Eyes = new ServerEyes(node, (taken, view) => loop.Post(at => new Input.Observed(at, taken, view)), () => probe!, log);
        var flag = new SyncFlag(node.DataDirectory);
        Probe = probe = new CommitProbe(node, () => loop.IsSynchronous, () => loop.Kept, flag, Eyes.Nudge, log);
        Hooks = new AgentHooks(node.Settings, node.Id, node.Name, log);
        var slots = new TermSlots(node, state.Known, () => [.. loop.State!.Durable.Membership.Voters.Where(voter => voter.HasData).Select(voter => voter.Id.Node)]);
        Fence = new ServerFence(node, Eyes, Hooks, log);
        Cut = new ReceiverCut(node, Eyes);
        Steps = new ServerSteps(node, Eyes, slots, state.Known, () => loop.IsSynchronous, log);
        Synchronous = new SynchronousSteps(node, flag);
        Rescue = new WalRescue(node, Cut, Peers, state.Path, policy.WalRescueTimeout, log);
        Rejoin = new Rejoin(node, Eyes, Fence, slots, state.DivergedWal, state.Known, announce, log);
    }

    /// <summary>Random, drawn at the start: tells this life of the agent from those before (docs/adr/0093).</summary>
    public ulong Boot { get; } = NewBoot();

    public MessageSeal Seal { get; }

    public Peers Peers { get; }

    public ServerEyes Eyes { get; }

    public CommitProbe Probe { get; }

    public AgentHooks Hooks { get; }

    public ServerFence Fence { get; }

    public ReceiverCut Cut { get; }

    public ServerSteps Steps { get; }

    public SynchronousSteps Synchronous { get; }

    public WalRescue Rescue { get; }

    public Rejoin Rejoin { get; }

    public static ulong NewBoot() => BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));

    /// <summary>What this agent says to those who greet it.</summary>
    public AgentGreeting Greet(TermHistory? held) => new(_state.Content.Voter, ProductVersion.Text, _state.Content.Durable is not null) { Holds = held };

    public async ValueTask DisposeAsync()
    {
        await Eyes.DisposeAsync();
        Peers.Dispose();
    }
}

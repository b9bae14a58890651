using System.Security.Cryptography;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Store;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Failover.Store;
using Repmgr.Engine.Files;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Failover;

/// <summary>
/// How a cluster comes by its first membership (docs/adr/0096): every agent writes who it is into the primary's database; when all
/// registered nodes have and each answers, the primary's agent writes the membership down, once, and holds term 1. An agent without state
/// that finds itself in it begins with it. One that does not is no voter.
/// </summary>
/// <param name="node">The node.</param>
/// <param name="state">Where its agent remembers.</param>
/// <param name="address">How the others reach it.</param>
/// <param name="policy">Its times.</param>
/// <param name="store">Where the lease is to lie; null: among the agents.</param>
/// <param name="log">Hears what it waits for.</param>
internal sealed class Founding(AgentNode node, StateDirectory state, string address, AgentPolicy policy, StoreLink? store, ILog log)
{
    /// <summary>The store is the one that is not lost.</summary>
    private const int FewestWithStore = 2;

    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan EchoWithin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan GreetWithin = TimeSpan.FromSeconds(1);

    private readonly SaidOnce _said = new(log);

    /// <summary>What it waits for, as it was logged last.</summary>
    public string Said => _said.Last.Length > 0 ? _said.Last : "it begins";

    /// <summary>Waits until the metadata can be read from the own server, and keeps the secret.</summary>
    public async Task<AgentTables> TablesAsync(CancellationToken cancel)
    {
        while (true)
        {
            switch (await AgentTables.ReadAsync(node.Connector, node.Conninfo, cancel))
            {
                case Answer<AgentTables>.Got when await LackingAsync(cancel) is { } lacking:
                    _said.Say(
                        Severity.Error, $"there is no automatic failover: role \"{node.Conninfo["user"] ?? Environment.UserName}\" lacks {lacking}",
                        "Without it the agent would not see, or could not do, what it decides.", "Grant it on the primary.");
                    break;
                case Answer<AgentTables>.Got got:
                    state.KeepSecret(got.Value.Secret);
                    return got.Value;
                case Answer<AgentTables>.Failed failed:
                    _said.Say(
                        Severity.Warning, "the agent waits: what it needs cannot be read from the own server", $"{failed.Reason.TrimEnd('.')}.",
                        failed.SqlState == Npgsql.PostgresErrorCodes.UndefinedTable ? "Run \"repmgr primary register --force\" on the primary: it brings the metadata forward." : null);
                    break;
            }

            await Task.Delay(Every, cancel);
        }
    }

    /// <summary>Waits until this node is a voter, founding the cluster where that falls to it; then its first state is on disk.</summary>
    /// <param name="peers">Greets the others.</param>
    /// <param name="arm">Tells the guard, and returns when it has echoed.</param>
    public async Task<DurableState> AwaitAsync(Peers peers, Func<GuardOrder, Task<bool>> arm, CancellationToken cancel)
    {
        while (true)
        {
            AgentTables tables = await TablesAsync(cancel);
            if (tables.Founding is { } founding)
            {
                if (founding.Voters.Any(voter => voter.Id == state.Content.Voter))
                    return Begin(founding);
                if (await JoinAsync(tables, peers, cancel) is { } unadmitted)
                    return unadmitted;
            }
            else if (await PrimaryAsync(tables, peers, cancel) is { } primary)
            {
                if (await AgentTables.AnnounceAsync(node.Connector, primary, state.Content.Voter, address, cancel) is { } refused)
                    _said.Say(Severity.Warning, "this agent cannot make itself known on the primary", $"{refused.TrimEnd('.')}.");
                else if (tables.IsPrimary)
                    await FoundAsync(tables, peers, arm, cancel);
            }

            await Task.Delay(Every, cancel);
        }
    }

    private async Task<string?> LackingAsync(CancellationToken cancel) => await AgentTables.LackingAsync(node.Connector, node.Conninfo, cancel) switch
    {
        Answer<IReadOnlyList<string>>.Got { Value: [] } => null,
        Answer<IReadOnlyList<string>>.Got { Value: var lacking } => string.Join(", ", lacking),
        Answer<IReadOnlyList<string>>.Failed failed => failed.Reason,
        _ => null,
    };

    /// <summary>
    /// This node was registered after the founding, or its state directory is a new one: the holder's agent is told, and admits it (R13, docs/adr/0102). Null: it cannot
    /// be told yet.
    /// </summary>
    private async Task<DurableState?> JoinAsync(AgentTables tables, Peers peers, CancellationToken cancel)
    {
        if (!tables.Nodes.Any(record => record.Id == node.Id))
        {
            _said.Say(Severity.Warning, $"node {node.Id} is not registered, and no voter of its cluster", null, "Register it with \"repmgr standby register\".");
            return null;
        }

        if (await PrimaryAsync(tables, peers, cancel) is not { } primary)
            return null;
        if (await AgentTables.AnnounceAsync(node.Connector, primary, state.Content.Voter, address, cancel) is { } refused)
        {
            _said.Say(Severity.Warning, "this agent cannot make itself known on the primary", $"{refused.TrimEnd('.')}.");
            return null;
        }

        foreach ((NodeId id, (_, string where)) in tables.Agents.Where(agent => agent.Key != node.Id))
        {
            peers.Know(id, where);
            if (await peers.GreetAsync(id, GreetWithin, cancel) is not { Holds: { } history })
                continue;
            bool isCopy = await new CopyCheck(node, peers).IsCopyOfAsync(id, cancel);
            log.Notice(
                $"this agent waits to be admitted as a voter by that of node {id}",
                isCopy ? "Its data are a copy of that node's." : "It is not known whose copy its data are: where they differ from the primary's, they are made anew when it is admitted.");
            return DurableState.Unadmitted(isCopy ? history : TermHistory.Unknown);
        }

        _said.Say(Severity.Warning, "this agent waits for one that holds the lease, to be admitted as a voter");
        return null;
    }

    private async Task<Conninfo?> PrimaryAsync(AgentTables tables, Peers peers, CancellationToken cancel)
    {
        var directory = new AgentDirectory(node.Connector, node.Conninfo, state, peers, address, log);
        Conninfo? primary = await directory.PrimaryAsync(tables, node.Conninfo, cancel);
        if (primary is null)
            _said.Say(Severity.Warning, "the agent waits for the primary, where the cluster's failover begins");
        return primary;
    }

    private async Task FoundAsync(AgentTables tables, Peers peers, Func<GuardOrder, Task<bool>> arm, CancellationToken cancel)
    {
        if (LeaseTimes.Unsound(policy) is { } unsound)
        {
            _said.Say(Severity.Error, $"automatic failover cannot begin: {unsound.Message}", unsound.Detail, unsound.Hint);
            return;
        }

        NodeRecord[] records = [.. tables.Nodes.Where(record => record.Active)];
        if (store is not null && records.Length < FewestWithStore)
        {
            _said.Say(
                Severity.Warning, "there is no automatic failover: one node is registered, and it takes two",
                "Until there is a standby, repmgrd only watches.", "Clone a standby, and register it with \"repmgr standby register\".");
            return;
        }

        if (store is null && TooFew(records) is { } few)
        {
            _said.Say(Severity.Warning, few.Message, few.Detail, few.Hint);
            return;
        }

        NodeRecord[] unknown = [.. records.Where(record => !tables.Agents.ContainsKey(record.Id))];
        if (unknown.Length > 0)
        {
            _said.Say(
                Severity.Notice, $"automatic failover begins when the agents of all nodes run; missing: {string.Join(", ", unknown.Select(record => record.Label))}",
                null, "Start repmgrd there, with failover = automatic.");
            return;
        }

        IReadOnlyList<string> streaming = await AgentTables.StreamingAsync(node.Connector, node.Conninfo, cancel);
        NodeRecord[] apart = [.. records.Where(record => record.Id != node.Id && record.Type != NodeType.Witness && !streaming.Contains(record.Name))];
        if (apart.Length > 0)
        {
            _said.Say(
                Severity.Warning, $"automatic failover cannot begin: not streaming from this primary: {string.Join(", ", apart.Select(record => record.Label))}",
                "All standbys have to stream directly from the primary, under their node's name, when it begins.",
                "Correct that with \"repmgr standby follow\", or unregister what is not to take part.");
            return;
        }

        List<FoundingVoter> voters = [];
        foreach (NodeRecord record in records)
        {
            (VoterId voter, string where) = tables.Agents[record.Id];
            voters.Add(new FoundingVoter(voter, HasData: record.Type != NodeType.Witness, where));
            if (record.Id == node.Id)
                continue;
            peers.Know(record.Id, where);
            if (await peers.GreetAsync(record.Id, GreetWithin, cancel) is not { } greeting || greeting.Voter != voter)
            {
                _said.Say(
                    Severity.Warning, $"automatic failover cannot begin: the agent of {record.Label} does not answer at {where}", null,
                    "Check that repmgrd runs there, that api_address leads to it, and that no firewall stands between.");
                return;
            }
        }

        await WriteAsync(voters, arm, cancel);
    }

    /// <summary>Why so few nodes are not enough; null: they are (R15).</summary>
    private Problem? TooFew(NodeRecord[] records)
    {
        if (records.Length > FewVoters.TooFew)
            return null;
        bool isPair = records.Length == FewVoters.TooFew && records.All(record => record.Type != NodeType.Witness);
        if (!isPair || node.Settings.Synchronous != SyncMode.Strict)
        {
            return new Problem(
                $"there is no automatic failover: {records.Length} {(records.Length == 1 ? "node is" : "nodes are")} registered, and it takes {FewVoters.TooFew + 1}",
                "A majority of two is both, so that the loss of either would stop the primary. Until there is a third voter, repmgrd only watches.",
                isPair ? $"{FewVoters.Hint} {FewVoters.StrictHint}" : FewVoters.Hint);
        }

        return node.Settings.SynchronousNodeCount == 1 ? null : new Problem(
            $"automatic failover cannot begin: synchronous_node_count is {node.Settings.SynchronousNodeCount}, and there is one standby",
            "With synchronous = strict every commit would wait for a standby that there is not.",
            "Set synchronous_node_count = 1 in repmgr.conf of both nodes and restart repmgrd, or register another standby.");
    }

    // The guard is set first: from the moment the membership is known to others, this server may write only while it is.
    private async Task WriteAsync(List<FoundingVoter> voters, Func<GuardOrder, Task<bool>> arm, CancellationToken cancel)
    {
        if (await AgentTables.TimelineAsync(node.Connector, node.Conninfo, cancel) is not { } timeline)
            return;
        if (store is not null)
            voters.Add(new FoundingVoter(new VoterId(VoterId.StoreNode, BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)))), HasData: false, ""));
        Settings settings = node.Settings;
        var document = new FoundingDocument(node.Id, timeline, voters)
        {
            Synchronous = settings.Synchronous == SyncMode.Off
                ? null
                : new FoundingSet(settings.Synchronous, settings.SynchronousNodeCount, DataIdentity.Ensure(node.DataDirectory)),
            Times = new AgreedTimes(policy.Ttl, policy.RestartGrace),
        };
        // What lies in the store and is in no membership harms nobody; a membership without it could renew nothing.
        if (store is not null && await store.CreateAsync(voters[^1].Id, StoredVoter.First(First(document, VoterId.StoreNode, policy), policy.Ttl), cancel) is { } why)
        {
            _said.Say(Severity.Warning, $"automatic failover cannot begin: etcd does not take its first state: {why}", null, "Check etcd_endpoints, and that etcd's members answer there.");
            return;
        }

        SignalFiles.WriteStandby(node.DataDirectory);
        AutoConf.Merge(node.DataDirectory, new Dictionary<string, string?> { ["primary_conninfo"] = "", ["primary_slot_name"] = null });
        TimeSpan deadline = BootClock.Now + policy.Ttl - policy.DriftMargin - policy.FenceBudget;
        if (!await arm(new GuardOrder(deadline)))
        {
            await arm(new GuardOrder(null, IsOver: true));
            _said.Say(Severity.Error, "automatic failover cannot begin: the guard does not answer");
            return;
        }

        if (await AgentTables.FoundAsync(node.Connector, node.Conninfo, document, cancel).WaitAsync(EchoWithin, cancel) is not { } refused)
        {
            log.Notice(store is null
                ? $"automatic failover begins with {voters.Count} voters; node {node.Id} holds term 1"
                : $"automatic failover begins with {voters.Count - 1} nodes and a lease in etcd; node {node.Id} holds term 1");
            return;
        }

        // It may stand there all the same. Whatever the next look finds is what counts; the guard waits for it.
        log.Error("the first membership could not be written", refused);
        if (await AgentTables.ReadAsync(node.Connector, node.Conninfo, cancel) is Answer<AgentTables>.Got { Value.Founding: null })
            await arm(new GuardOrder(null, IsOver: true));
    }

    private DurableState Begin(FoundingDocument founding)
    {
        DurableState durable = First(founding, node.Id, policy);
        if (founding.Synchronous is not null)
            NameNobody(holds: founding.Holder == node.Id);
        state.Change(content => content with { Durable = durable });
        return durable;
    }

    /// <summary>What a voter of the first membership remembers to begin with.</summary>
    public static DurableState First(FoundingDocument founding, NodeId self, AgentPolicy policy)
    {
        var first = new Term(1);
        bool holds = founding.Holder == self;
        bool hasData = founding.Voters.Any(voter => voter.Id.Node == self && voter.HasData);
        var history = new TermHistory([new TermLine(first, founding.Timeline, Lsn.Zero, first)]);
        var durable = new DurableState
        {
            Term = first,
            VotedFor = founding.Holder,
            LongestPromise = policy.Under(founding.Times).Ttl,
            Held = holds ? first : new Term(0),
            Served = holds ? first : new Term(0),
            AttachFrom = first,
            Membership = new Membership(first, 1, [.. founding.Voters.Select(voter => new Voter(voter.Id, voter.HasData))]) { Times = founding.Times },
            Announced = history,
            Data = hasData ? history : null,
        };
        return founding.Synchronous is not { } chosen ? durable : durable with
        {
            Set = new RememberedSet(first, 1, SyncSet.Empty, new SyncMember(founding.Holder, chosen.Data)) { Mode = chosen.Mode, Wanted = chosen.Count },
            InForce = holds ? new StampedSet(new SyncStamp(first, 1), SyncSet.Empty) : null,
        };
    }

    // A standby names nobody from here on; the holder begins with an empty set.
    private void NameNobody(bool holds)
    {
        AutoConf.Merge(
            node.DataDirectory,
            holds ? new Dictionary<string, string?> { ["synchronous_standby_names"] = "", ["restart_after_crash"] = "off" } : SynchronousSteps.OfStandbys);
        LocalServer.Reload(node.DataDirectory);
    }
}

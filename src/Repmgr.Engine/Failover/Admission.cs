using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Problems;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Failover;

/// <summary>
/// The holder's agent brings the voters into line with the nodes that are registered on its server (R13, docs/adr/0102): it admits a registered node whose agent
/// says who it is and answers there, and removes one that is registered no more, or whose agent has a new state directory.
/// </summary>
/// <param name="node">The node.</param>
/// <param name="peers">Greets the others.</param>
/// <param name="state">What the machine knows; null before it runs.</param>
/// <param name="post">Asks the machine.</param>
/// <param name="log">Hears who votes.</param>
internal sealed class Admission(AgentNode node, Peers peers, Func<AgentState?> state, Action<Func<TimeSpan, Input>> post, ILog log)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan GreetWithin = TimeSpan.FromSeconds(1);

    private readonly SaidOnce _voters = new(log), _few = new(log);

    public async Task RunAsync(CancellationToken cancel)
    {
        await using KeptSession session = AgentTables.Keep(node.Connector, node.Conninfo);
        while (true)
        {
            await Task.Delay(Every, cancel);
            if (state() is not { } now)
                continue;
            Say(now.Durable.Membership, now.Durable.Set);
            if (now is { IsStopping: false, Role: Role.Holding { Stage: HoldingStage.Serving, Affirming: null }, Durable.Membership: { Before: null } members })
                await ReconcileAsync(session, members, cancel);
            else
                await session.DisposeAsync();
        }
    }

    private async Task ReconcileAsync(KeptSession session, Membership members, CancellationToken cancel)
    {
        // A table in which not even this node stands says nothing about the others.
        if (await AgentTables.ReadAsync(session, cancel) is not Answer<AgentTables>.Got { Value: { IsPrimary: true } tables }
            || !tables.Nodes.Any(record => record.Id == node.Id))
            return;
        if (await GoneAsync(members, tables, cancel) is { } gone)
            post(at => new Input.Requested(at, new Request.RemoveVoter(gone)));
        else if (await ComeAsync(members, tables, cancel) is { } come)
            post(at => new Input.Requested(at, new Request.AdmitVoter(come.Id, come.HasData)));
    }

    private async Task<VoterId?> GoneAsync(Membership members, AgentTables tables, CancellationToken cancel)
    {
        foreach (VoterId voter in members.Voters.Select(voter => voter.Id).Where(voter => voter.Node != node.Id && !voter.IsStore))
        {
            bool isRegistered = tables.Nodes.Any(record => record.Id == voter.Node);
            if (!isRegistered || (tables.Agents.TryGetValue(voter.Node, out var agent) && agent.Voter != voter && await AnswersAsync(agent, cancel)))
                return voter;
        }

        return null;
    }

    private async Task<Voter?> ComeAsync(Membership members, AgentTables tables, CancellationToken cancel)
    {
        foreach ((NodeId id, (VoterId Voter, string Address) agent) in tables.Agents.Where(agent => agent.Key != node.Id && !members.Votes(agent.Value.Voter)))
        {
            if (tables.Nodes.FirstOrDefault(record => record.Id == id) is not { } record)
                _ = await AgentTables.ForgetAsync(node.Connector, node.Conninfo, id, cancel);
            else if (!members.Voters.Any(voter => voter.Id.Node == id) && await AnswersAsync(agent, cancel))
                return new Voter(agent.Voter, HasData: record.Type != NodeType.Witness);
        }

        return null;
    }

    private async Task<bool> AnswersAsync((VoterId Voter, string Address) agent, CancellationToken cancel)
    {
        peers.Know(agent.Voter.Node, agent.Address);
        return await peers.GreetAsync(agent.Voter.Node, GreetWithin, cancel) is { } greeting && greeting.Voter == agent.Voter;
    }

    private void Say(Membership members, RememberedSet? set)
    {
        if (members.Before is not null || members.Voters.Count == 0)
            return;
        bool isFirst = _voters.Last.Length == 0;
        if (_voters.IsNew(string.Join(", ", members.Voters.Select(Word))) && !isFirst)
            log.Notice($"the voters are now {_voters.Last}");
        Problem? few = members.Store is null && members.Voters.Count <= FewVoters.TooFew ? FewVoters.Problem(members, set) : null;
        if (_few.IsNew(few?.Message ?? "") && few is not null)
            log.Write(Severity.Warning, few);
    }

    private static string Word(Voter voter) => voter.Id.IsStore ? "etcd" : voter.HasData ? $"node {voter.Id.Node}" : $"node {voter.Id.Node} (witness)";
}

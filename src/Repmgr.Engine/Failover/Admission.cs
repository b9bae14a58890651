using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
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
    /// <summary>More than this many, and one of them can be lost.</summary>
    private const int TooFew = 2;

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan GreetWithin = TimeSpan.FromSeconds(1);

    private readonly SaidOnce _said = new(log);

    public async Task RunAsync(CancellationToken cancel)
    {
        while (true)
        {
            await Task.Delay(Every, cancel);
            if (state() is not { } now)
                continue;
            Say(now.Durable.Membership);
            if (now is { IsStopping: false, Role: Role.Holding { Stage: HoldingStage.Serving, Affirming: null }, Durable.Membership: { Before: null } members })
                await ReconcileAsync(members, cancel);
        }
    }

    private async Task ReconcileAsync(Membership members, CancellationToken cancel)
    {
        // A table in which not even this node stands says nothing about the others.
        if (await AgentTables.ReadAsync(node.Connector, node.Conninfo, cancel) is not Answer<AgentTables>.Got { Value: { IsPrimary: true } tables }
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

    private void Say(Membership members)
    {
        if (members.Before is not null || members.Voters.Count == 0)
            return;
        string now = string.Join(", ", members.Voters.Select(voter => voter.Id.IsStore ? "etcd" : voter.HasData ? $"node {voter.Id.Node}" : $"node {voter.Id.Node} (witness)"));
        bool isFirst = _said.Last.Length == 0;
        if (!_said.IsNew(now))
            return;
        if (!isFirst)
            log.Notice($"the voters are now {now}");
        if (members.Store is null && members.Voters.Count <= TooFew)
            log.Write(Severity.Warning, FewVoters.Problem(members.Voters.Count));
    }
}

/// <summary>What a cluster of two lacks, and how it gets it.</summary>
internal static class FewVoters
{
    public const string Hint =
        "Register another standby, or a witness: on a third host, which needs no PostgreSQL, write node_id, node_name and the conninfo of the primary into repmgr.conf, "
        + "run \"repmgr witness register\", and start repmgrd.";

    public static Problem Problem(int count) => count == 1
        ? new("there is no failover: this node votes alone", null, Hint)
        : new("there is no failover with two voters", "A majority of two is both: neither can be elected without the other, and when one is lost, the other is taken out of service.", Hint);
}

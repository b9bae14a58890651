using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Failover;

/// <summary>How the nodes and their agents are reached: read from the metadata, and kept for the time when no server can be asked.</summary>
/// <param name="connector">Makes connections.</param>
/// <param name="own">How the own server, or for a witness the cluster, is reached.</param>
/// <param name="state">Where it is kept.</param>
/// <param name="peers">Who is told.</param>
/// <param name="address">Where this agent is reached.</param>
/// <param name="log">Hears what could not be kept.</param>
internal sealed class AgentDirectory(PostgresConnector connector, Conninfo own, StateDirectory state, Peers peers, string address, ILog log)
{
    private static readonly TimeSpan LookForVotersEvery = TimeSpan.FromSeconds(2), ReadEvery = TimeSpan.FromSeconds(20);

    private NodeId Self => state.Content.Voter.Node;

    /// <summary>Keeps what must be known when all servers are down, until it is cancelled. Who has become a voter is looked up at once.</summary>
    /// <param name="servers">Which to ask, until one answers.</param>
    /// <param name="membership">Who votes.</param>
    public async Task KeepAsync(Func<IEnumerable<Conninfo>> servers, Func<Membership?> membership, CancellationToken cancel)
    {
        Membership? known = null;
        TimeSpan next = TimeSpan.Zero;
        while (true)
        {
            Membership? now = membership();
            if (BootClock.Now >= next || now?.Equals(known) == false)
            {
                known = await RefreshFromAnyAsync(servers(), cancel) ? now : null;
                next = BootClock.Now + ReadEvery;
            }

            await Task.Delay(LookForVotersEvery, cancel);
        }
    }

    /// <summary>Reads the metadata from a server, keeps what it says, and says on the primary where this agent is, if that stands there otherwise.</summary>
    /// <returns>False: that server could not be asked.</returns>
    public async Task<bool> RefreshAsync(Conninfo server, CancellationToken cancel)
    {
        if (await AgentTables.ReadAsync(connector, server, cancel) is not Answer<AgentTables>.Got { Value: var tables })
            return false;
        KnownNode[] nodes = [.. tables.Nodes
            .Where(record => tables.Agents.ContainsKey(record.Id))
            .Select(record => new KnownNode(record.Id, record.Name, record.Conninfo, tables.Agents[record.Id].Address))];
        if (nodes.Length > 0 && !nodes.SequenceEqual(state.Content.Nodes))
            Keep(nodes);
        foreach (KnownNode known in nodes.Where(known => known.Id != Self))
            peers.Know(known.Id, known.Address);
        bool isStale = !tables.Agents.TryGetValue(Self, out (VoterId Voter, string Address) there) || there != (state.Content.Voter, address);
        if (isStale && tables.Nodes.Any(record => record.Id == Self) && await PrimaryAsync(tables, server, cancel) is { } primary)
            _ = await AgentTables.AnnounceAsync(connector, primary, state.Content.Voter, address, cancel);
        return true;
    }

    private async Task<bool> RefreshFromAnyAsync(IEnumerable<Conninfo> servers, CancellationToken cancel)
    {
        foreach (Conninfo server in servers)
        {
            if (await RefreshAsync(server, cancel))
                return true;
        }

        return false;
    }

    /// <summary>How the server that takes writes is reached; null: none of the registered nodes is seen to. Whatever the record of a node says, it is asked.</summary>
    public async Task<Conninfo?> PrimaryAsync(AgentTables tables, Conninfo readFrom, CancellationToken cancel)
    {
        if (tables.IsPrimary)
            return readFrom;
        foreach (NodeRecord record in tables.Nodes.Where(record => record.Type != NodeType.Witness).OrderBy(record => record.Type))
        {
            Conninfo conninfo = NodeReach.Of(record, own);
            if (await AgentTables.ReadAsync(connector, conninfo, cancel) is Answer<AgentTables>.Got { Value.IsPrimary: true })
                return conninfo;
        }

        return null;
    }

    private void Keep(KnownNode[] nodes)
    {
        try
        {
            state.Change(content => content with { Nodes = nodes });
        }
        catch (IOException failed)
        {
            log.Warning("how the other nodes are reached could not be kept", failed.Message);
        }
    }
}

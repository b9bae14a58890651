using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Monitoring;
using Repmgr.Core.Postgres;
using Repmgr.Core.Settings;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Daemon;

/// <summary>How servers are looked at. The engine looks at real ones; the simulator has its own.</summary>
public interface IServers
{
    /// <summary>Looks at one server. As long as a look has no answer, asking again returns that same look.</summary>
    Task<Sight> LookAsync(NodeId node, Conninfo conninfo, LookPolicy policy);

    /// <summary>What is seen of a node whose look has no answer.</summary>
    Sight Unanswered(NodeId node);

    /// <summary>Lets go of the connections to all other nodes.</summary>
    void KeepOnly(IReadOnlyCollection<NodeId> nodes);
}

/// <summary>How a look is done.</summary>
/// <param name="Check"><c>connection_check_type</c></param>
/// <param name="QueryWithin">How long the server may take to answer on an open connection, before that is given up and made anew.</param>
/// <param name="CheckQuery"><c>connection_check_query</c>, where one of the operator's own is to be run too; null: none.</param>
public sealed record LookPolicy(ConnectionCheckType Check, TimeSpan QueryWithin, string? CheckQuery = null);

/// <summary>Keeps a connection to each server that is watched, and looks at it through that.</summary>
/// <remarks>Called by one loop only. What hangs is left behind in the background; it never holds up the caller.</remarks>
public sealed class Servers(PostgresConnector connector, TimeProvider time) : IServers, IAsyncDisposable
{
    /// <summary>How long a decision should wait for looks: a little more than connecting may take, so that the reason is the real one.</summary>
    public static readonly TimeSpan LookWithin = PostgresConnector.DefaultTimeout + TimeSpan.FromMilliseconds(500);

    private readonly Dictionary<NodeId, WatchedServer> _watched = [];

    public Task<Sight> LookAsync(NodeId node, Conninfo conninfo, LookPolicy policy)
    {
        if (_watched.TryGetValue(node, out WatchedServer? known) && (!known.Conninfo.Equals(conninfo) || known.IsStuck(policy)))
            LetGo(node);
        if (!_watched.TryGetValue(node, out WatchedServer? watched))
            _watched[node] = watched = new WatchedServer(node, conninfo, connector, time);
        return watched.Look(policy);
    }

    public Sight Unanswered(NodeId node)
    {
        double seconds = _watched.TryGetValue(node, out WatchedServer? watched) ? watched.LookingFor.TotalSeconds : 0;
        return new Sight(node, new NodeProbe.Silent(string.Create(CultureInfo.InvariantCulture, $"no answer for {seconds:0.#} s")), null);
    }

    public void KeepOnly(IReadOnlyCollection<NodeId> nodes)
    {
        if (_watched.Count == nodes.Count)
            return;
        foreach (NodeId node in _watched.Keys.Where(node => !nodes.Contains(node)).ToArray())
            LetGo(node);
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_watched.Values.Select(watched => watched.DisposeAsync().AsTask()));
        _watched.Clear();
    }

    /// <summary>Ends beside the loop, soon.</summary>
    private void LetGo(NodeId node)
    {
        if (_watched.Remove(node, out WatchedServer? watched))
            _ = watched.DisposeAsync().AsTask();
    }
}

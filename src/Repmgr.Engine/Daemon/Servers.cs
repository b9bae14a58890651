using System.Globalization;
using Npgsql;
using Repmgr.Core.Cluster;
using Repmgr.Core.Monitoring;
using Repmgr.Core.Postgres;
using Repmgr.Core.Settings;
using Repmgr.Engine.Observation;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Daemon;

/// <summary>How servers are looked at. The engine looks at real ones; the simulator has its own.</summary>
public interface IServers
{
    /// <summary>Looks at one server. It answers within its own deadline, whatever the server does.</summary>
    Task<Sight> LookAsync(NodeId node, Conninfo conninfo, LookPolicy policy, CancellationToken cancel);

    /// <summary>Lets go of the connections to all other nodes.</summary>
    void KeepOnly(IReadOnlyCollection<NodeId> nodes);
}

/// <summary>How a look is done.</summary>
/// <param name="Check"><c>connection_check_type</c></param>
/// <param name="QueryWithin">How long the server may take to answer on an open connection.</param>
/// <param name="CheckQuery"><c>connection_check_query</c>, where one of the operator's own is to be run too; null: none.</param>
public sealed record LookPolicy(ConnectionCheckType Check, TimeSpan QueryWithin, string? CheckQuery = null);

/// <summary>Keeps a connection to each server that is watched, and looks at it through that.</summary>
/// <remarks>
/// A look never waits for the one before: as long as that has no answer, the node has not answered. The loop gets its answer
/// in time, and the connection is given up at its own deadline, in the background.
/// </remarks>
public sealed class Servers(PostgresConnector connector, TimeProvider time) : IServers, IAsyncDisposable
{
    /// <summary>How long the decision waits for a look: a little more than connecting may take, so that the reason is the real one.</summary>
    public static readonly TimeSpan LookWithin = PostgresConnector.DefaultTimeout + TimeSpan.FromMilliseconds(500);

    private readonly Dictionary<NodeId, Watched> _watched = [];

    public async Task<Sight> LookAsync(NodeId node, Conninfo conninfo, LookPolicy policy, CancellationToken cancel)
    {
        Watched watched = Find(node, conninfo);
        if (watched.Look is not { IsCompleted: false })
        {
            watched.Began = time.GetTimestamp();
            watched.Look = watched.LookAsync(connector, policy, cancel);
        }

        try
        {
            NodeLook look = await watched.Look.WaitAsync(LookWithin, time, cancel);
            return look.Probe.Running is null
                ? new Sight(node, look.Probe, null)
                : new Sight(node, look.Probe, (look.Table as NodeTable.Rows)?.Records, (look.Table as NodeTable.Unreadable)?.Reason);
        }
        catch (TimeoutException)
        {
            double seconds = time.GetElapsedTime(watched.Began).TotalSeconds;
            return new Sight(node, new NodeProbe.Silent(string.Create(CultureInfo.InvariantCulture, $"no answer for {seconds:0.#} s")), null);
        }
    }

    public void KeepOnly(IReadOnlyCollection<NodeId> nodes)
    {
        foreach (NodeId node in _watched.Keys.Where(node => !nodes.Contains(node)).ToArray())
            LetGo(node);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Watched watched in _watched.Values)
            await watched.CloseAsync();
        _watched.Clear();
    }

    private Watched Find(NodeId node, Conninfo conninfo)
    {
        if (_watched.TryGetValue(node, out Watched? watched) && watched.Conninfo.Equals(conninfo))
            return watched;
        LetGo(node);
        return _watched[node] = new Watched(conninfo);
    }

    private void LetGo(NodeId node)
    {
        if (_watched.Remove(node, out Watched? watched))
            watched.CloseWhenIdle();
    }

    /// <summary>One server and the connection to it.</summary>
    private sealed class Watched(Conninfo conninfo)
    {
        private PostgresSession? _session;

        public Conninfo Conninfo => conninfo;

        public Task<NodeLook>? Look { get; set; }

        /// <summary>When the present look began.</summary>
        public long Began { get; set; }

        public async Task<NodeLook> LookAsync(PostgresConnector connector, LookPolicy policy, CancellationToken cancel)
        {
            if (_session is { } open && policy.Check == ConnectionCheckType.Ping
                && await ServerPing.TryAsync(open.Host, open.User, open.Database, PostgresConnector.DefaultTimeout, cancel) is { } refusal)
                return Failed(refusal);

            if (_session is null)
            {
                ConnectResult result = await connector.OpenAsync(conninfo, cancel);
                switch (result)
                {
                    case ConnectResult.Rejected rejected:
                        return Failed(new NodeProbe.Rejected(rejected.SqlState, rejected.Reason));
                    case ConnectResult.Silent silent:
                        return Failed(new NodeProbe.Silent(silent.Reason));
                    case ConnectResult.Opened opened:
                        _session = opened.Session;
                        break;
                }
            }

            Answer<NodeLook> answer = await _session!.RunAsync((connection, token) => AskAsync(connection, policy, token), policy.QueryWithin, cancel);
            if (answer is Answer<NodeLook>.Failed || policy.Check == ConnectionCheckType.Connection)
                await CloseAsync();
            return answer switch
            {
                Answer<NodeLook>.Got got => got.Value,
                Answer<NodeLook>.Failed { SqlState: { } state } failed => Failed(new NodeProbe.Rejected(state, failed.Reason)),
                Answer<NodeLook>.Failed failed => Failed(new NodeProbe.Silent(failed.Reason)),
                _ => throw new InvalidOperationException("an answer of no known kind"),
            };
        }

        private static async Task<NodeLook> AskAsync(NpgsqlConnection connection, LookPolicy policy, CancellationToken cancel)
        {
            if (policy.CheckQuery is not { } query)
                return await ProbeQuery.ReadAsync(connection, cancel);
            await using (NpgsqlCommand command = new(query, connection))
                await command.ExecuteNonQueryAsync(cancel);
            return await ProbeQuery.ReadAsync(connection, cancel);
        }

        public void CloseWhenIdle() =>
            (Look ?? Task.CompletedTask).ContinueWith(
                static (_, self) => ((Watched)self!).CloseAsync().AsTask(), this, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);

        public async ValueTask CloseAsync()
        {
            if (Interlocked.Exchange(ref _session, null) is not { } session)
                return;
            try
            {
                await session.DisposeAsync();
            }
            catch (Exception failure) when (failure is NpgsqlException or IOException or InvalidOperationException)
            {
                // The farewell could not be sent; the connection is gone all the same.
            }
        }

        private static NodeLook Failed(NodeProbe probe) => new(probe, new NodeTable.Missing());
    }
}

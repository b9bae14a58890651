using Repmgr.Core.Cluster;
using Repmgr.Core.Monitoring;
using Repmgr.Tests.Daemon.Simulation;

namespace Repmgr.Tests.Daemon;

/// <summary>Three daemons over a cluster to which everything happens that hands and accidents do; all chance from one seed.</summary>
public sealed class SimulationTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task Whatever_happened_when_it_is_over_the_metadata_say_what_is()
    {
        int first = int.TryParse(Environment.GetEnvironmentVariable("REPMGR_SEED"), out int given) ? given : 1;
        for (int seed = first; seed < first + 25; seed++)
            await RunAsync(seed, turns: 150);
    }

    private static async Task RunAsync(int seed, int turns)
    {
        var random = new Random(seed);
        var clock = new SimulatedClock();
        var cluster = new SimulatedCluster(3);
        SimulatedDaemon[] daemons = [.. Enumerable.Range(1, 3).Select(id => new SimulatedDaemon(id, cluster, clock))];
        var happened = new List<string>();
        try
        {
            for (int turn = 0; turn < turns; turn++)
            {
                // A node that was promoted before it was ever registered is the operator's to register.
                if (turn >= 6 && random.Next(6) == 0)
                    happened.Add($"turn {turn}: {Disturb(cluster, random)}");
                await TurnAsync(cluster, clock, daemons, (ulong)random.Next(3) * 100);
                Assert.True(daemons.All(daemon => daemon.State.Complaints.Count < 5));
            }

            Heal(cluster);
            for (int turn = 0; turn < 45; turn++)
                await TurnAsync(cluster, clock, daemons, 100);
            CheckHealed(cluster, daemons);
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException($"seed {seed}: {failure.Message}\n{string.Join('\n', happened.TakeLast(15))}\n{string.Join('\n', daemons.Select(Explain))}", failure);
        }
        finally
        {
            foreach (SimulatedDaemon daemon in daemons)
                daemon.Dispose();
        }
    }

    private static string Explain(SimulatedDaemon daemon) =>
        $"{daemon.State}\n  knows {string.Join(", ", daemon.State.Known.Select(node => $"{node.Quoted} {node.Type} below {node.Upstream} active {node.Active}"))}\n"
        + string.Join('\n', daemon.Log.Lines.TakeLast(8).Select(line => $"  {line.Severity} {line.Message} {line.Detail}"));

    private static async Task TurnAsync(SimulatedCluster cluster, SimulatedClock clock, SimulatedDaemon[] daemons, ulong written)
    {
        clock.Advance(Interval);
        cluster.Pass(clock.GetUtcNow(), written);
        foreach (SimulatedDaemon daemon in daemons)
            Assert.Null(await daemon.TurnAsync());
    }

    private static string Disturb(SimulatedCluster cluster, Random random)
    {
        int id = random.Next(1, 4);
        int other = (id % 3) + 1;
        SimulatedCluster.SimulatedServer server = cluster.Server(id);
        switch (random.Next(5))
        {
            case 0:
                server.IsUp = false;
                return $"node {id} goes away";
            case 1:
                server.IsUp = true;
                server.StartedAt = server.Now;
                return $"node {id} is there";
            case 2 when server is { IsUp: true, IsPrimary: false }:
                cluster.Promote(id);
                return $"node {id} is promoted by hand";
            case 3 when server is { IsUp: true, IsPrimary: false } && cluster.Server(other).Position >= server.Position:
                server.Upstream = other;
                return $"node {id} is made to follow node {other}";
            case 4 when cluster.Servers.Any(candidate => candidate.Id != id && candidate is { IsUp: true, IsPrimary: true }):
                cluster.Reclone(id, cluster.Servers.First(candidate => candidate.Id != id && candidate is { IsUp: true, IsPrimary: true }).Id);
                return $"node {id} is cloned anew";
            default:
                return "nothing";
        }
    }

    /// <summary>What an operator does in the end: one primary, the others cloned from it.</summary>
    private static void Heal(SimulatedCluster cluster)
    {
        SimulatedCluster.SimulatedServer primary = cluster.Servers.Where(server => server.IsPrimary).MaxBy(server => server.Timeline)!;
        primary.IsUp = true;
        foreach (SimulatedCluster.SimulatedServer server in cluster.Servers.Where(server => server != primary))
            cluster.Reclone(server.Id, primary.Id);
    }

    private static void CheckHealed(SimulatedCluster cluster, SimulatedDaemon[] daemons)
    {
        SimulatedCluster.SimulatedServer primary = cluster.Servers.Single(server => server.IsPrimary);
        foreach (SimulatedCluster.SimulatedServer server in cluster.Servers)
        {
            NodeRecord expected = server == primary
                ? SimulatedCluster.Record(server.Id, NodeType.Primary, null)
                : SimulatedCluster.Record(server.Id, NodeType.Standby, primary.Id);
            Assert.Equal(expected, primary.Table[server.Id]);
            WatchState state = daemons[server.Id - 1].State;
            Assert.Empty(state.Complaints);
            Assert.Equal(new Watching(server == primary, server.Upstream is { } upstream ? new NodeId(upstream) : null), state.Watching);
            Assert.True(server == primary ? state.Upstream is UpstreamLink.None : state.Upstream is UpstreamLink.Normal);
        }

        MonitoringRow[] newest = [.. cluster.History.TakeLast(6)];
        Assert.All(newest, row => Assert.Equal(new NodeId(primary.Id), row.Primary));
        Assert.Equal(2, newest.Select(row => row.Standby).Distinct().Count());
        Assert.All(newest, row => Assert.Equal((0, 0), (row.ReplicationLag, row.ApplyLag)));
    }
}

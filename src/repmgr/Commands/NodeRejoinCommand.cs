using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning.Rejoining;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Failover;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Observation;
using Repmgr.Engine.Postgres;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr node rejoin</c></summary>
internal sealed class NodeRejoinCommand : NodeCommand
{
    protected override async Task<ExitCode> RunAsync(LocalNode node, CancellationToken cancel)
    {
        ClusterFound found = await new ClusterFinder(node.Tools, node.Context).FindAsync(node.Loaded, MetadataUse.Change, cancel);
        if (found is ClusterFound.Nowhere nowhere)
            return node.Context.Refuse(nowhere.Problem with { Hint = "Name a node of the cluster that runs: -h HOST, or -d with its conninfo." }, nowhere.ExitCode);
        ClusterView cluster = ((ClusterFound.Seen)found).View;
        if (cluster.Find(node.Id)?.Record is not { } self)
            return node.Context.Refuse(new Problem($"node {node.Id} is not registered", null, "Clone it with \"repmgr standby clone\", and register it."), ExitCode.RejoinFailed);
        PrimarySearch search = PrimarySearch.In(cluster);
        if (search is not PrimarySearch.Found { Node: var primary })
            return node.Context.Refuse(((PrimarySearch.NotFound)search).Problem, ExitCode.RejoinFailed);
        if (primary.Record.Id == node.Id)
            return node.Context.Refuse(new Problem($"{self.Label} is the primary", null, "Only a node whose server is stopped can be brought back as a standby."), ExitCode.RejoinFailed);
        Conninfo primaryOn = NodeReach.Of(primary.Record, node.On);
        if (await AutomaticFailover.WhyNotByHandAsync(node.Tools.Connector, primaryOn, node.Settings.Failover, cancel) is { } agentsDecide)
            return node.Context.Refuse(agentsDecide with { Hint = "Start repmgrd on this node: its agent brings it back, whatever has become of its data." }, ExitCode.RejoinFailed);
        return await RejoinAsync(node, self, primary, primaryOn, cancel);
    }

    private static async Task<ExitCode> RejoinAsync(LocalNode node, NodeRecord self, NodeView primary, Conninfo primaryOn, CancellationToken cancel)
    {
        Settings settings = node.Settings;
        var credentials = new ReplicationCredentials(
            settings.ReplicationUser, settings.Passfile, settings.UsePrimaryConninfoPassword ? Environment.GetEnvironmentVariable("PGPASSWORD") : null);
        var follow = new FollowLook(node.Tools.Connector, new ReplicationLogin(node.Tools.Connector), credentials);
        (RejoinSeen? seen, Problem? problem) = await new RejoinLook(follow).LookAsync(self, settings, primary, node.On, cancel);
        if (seen is null)
            return node.Context.Refuse(problem!, ExitCode.RejoinFailed);

        CarriedOut done = await node.Context.CarryOutAsync(RejoinPlanner.Plan(new RejoinRequest(self, settings, credentials), seen), node.Tools.Runner, cancel);
        if (done.Outcome is not { } outcome)
            return done.ExitCode;
        string details = outcome.ReachedGoal ? $"{self.Label} is back, as a standby of {primary.Record.Label}" : outcome.Failure!;
        await node.Tools.Events.RecordAsync(
            primaryOn,
            new ClusterEvent(node.Id, EventName.NodeRejoin, outcome.ReachedGoal, details, new EventSubject(primary.Record.Id, primary.Record.Conninfo, primary.Record.Name)), cancel);
        if (outcome.ReachedGoal)
            node.Log.Notice(details);
        return outcome.ReachedGoal ? done.ExitCode : ExitCode.RejoinFailed;
    }
}

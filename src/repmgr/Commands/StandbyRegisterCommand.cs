using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning;
using Repmgr.Core.Planning.Registration;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Engine.Execution;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Metadata;
using Repmgr.Engine.Observation;
using Repmgr.Engine.Postgres;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr standby register</c></summary>
internal sealed class StandbyRegisterCommand : NodeCommand
{
    private static readonly TimeSpan WaitStart = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>More standbys in a row than anybody has; servers that stream from each other in a circle end it too.</summary>
    private const int MostHops = 8;

    protected override async Task<ExitCode> RunAsync(LocalNode node, CancellationToken cancel)
    {
        NodeLook local = await AwaitStartAsync(node, cancel);
        (NodeLook asked, Conninfo at) = await AskAsync(node, local, cancel);
        if ((asked.Table as NodeTable.Unreadable)?.Lacking(MetadataUse.Register) is { } lacking)
            return node.Context.Refuse(lacking);

        ClusterView cluster = await node.Tools.Cluster.LookAtOthersAsync(
            asked, at, new Dictionary<NodeId, NodeLook> { [node.Id] = local }, cancel);
        MetadataView? metadata = null;
        if (PrimarySearch.In(cluster) is PrimarySearch.Found primary)
        {
            switch (await MetadataLook.AtAsync(node.Tools.Connector, NodeReach.Of(primary.Node.Record, node.On), node.Settings, cancel))
            {
                case Answer<MetadataView>.Got got:
                    metadata = got.Value;
                    break;
                case Answer<MetadataView>.Failed failed:
                    return node.Context.Refuse(new Problem("the metadata on the primary could not be looked at", Detail: failed.Reason), ExitCode.DbQuery);
            }
        }

        RegisteredConninfo registered = RegisteredConninfo.From(node.On, Environment.GetEnvironmentVariable);
        string? applicationName = local.Probe is NodeProbe.Standby && node.Settings.NodeName is null ? await ApplicationNameAsync(node, cancel) : null;
        NodeRecord record = node.Record(NodeType.Standby, registered.Conninfo, [.. cluster.Nodes.Select(view => view.Record)], applicationName);
        RegisterStandbyRequest request = new(
            record,
            node.On,
            node.Options.UpstreamNodeId is { } upstream ? new NodeId(upstream) : null,
            node.Options.Force,
            node.Options.WaitSync ? new SyncWait(node.Options.WaitSyncWithin) : null,
            registered.Notices);
        CarriedOut done = await node.Context.CarryOutAsync(
            RegisterStandbyPlanner.Plan(request, new StandbySeen(local.Probe, cluster, metadata)), node.Tools.Runner, cancel);
        if (done.Outcome is { } outcome)
            await RecordAsync(node.Tools, request, cluster, outcome, cancel);
        if (done.Outcome is PlanOutcome.Done)
            node.Log.Notice($"{record.Label} is registered as standby");
        return done.ExitCode;
    }

    // Whom the metadata are asked from. What was registered a moment ago may not have reached the standby yet; its upstream has it sooner.
    private static async Task<(NodeLook Asked, Conninfo At)> AskAsync(LocalNode node, NodeLook local, CancellationToken cancel)
    {
        if (node.Elsewhere is { } elsewhere)
            return (await node.Tools.Observer.LookAsync(elsewhere, cancel), elsewhere);

        (NodeLook asked, Conninfo at) = (local, node.On);
        for (int hops = 0; hops < MostHops && asked.Table is NodeTable.Missing or NodeTable.Rows { Records: [] }; hops++)
        {
            if (NodeReach.Upstream(asked.Probe, node.On) is not { } upstream)
                break;
            (asked, at) = (await node.Tools.Observer.LookAsync(upstream, cancel), upstream);
        }

        return (asked, at);
    }

    // A server that was just started is not there at once. One that refuses us for good is not waited for, nor one that need not run.
    private static async Task<NodeLook> AwaitStartAsync(LocalNode node, CancellationToken cancel)
    {
        TimeSpan within = node.Options.WaitStart ?? (node.Options.Force || node.Options.DryRun ? TimeSpan.Zero : WaitStart);
        long began = TimeProvider.System.GetTimestamp();
        bool said = false;
        while (true)
        {
            NodeLook look = await node.Tools.Observer.LookAsync(node.On, cancel);
            bool mayCome = look.Probe is NodeProbe.Silent or NodeProbe.Rejected { SqlState: "57P03" };
            if (!mayCome || TimeProvider.System.GetElapsedTime(began) + Pause > within)
                return look;

            if (!said)
                node.Log.Info($"the local server does not answer yet; waiting up to {within.TotalSeconds:0} s");
            said = true;
            await Task.Delay(Pause, cancel);
        }
    }

    // The setting can only be seen by a role that may see all settings.
    private static async Task<string?> ApplicationNameAsync(LocalNode node, CancellationToken cancel)
    {
        if (await node.Tools.Connector.OpenAsync(node.On, cancel) is not ConnectResult.Opened opened)
            return null;

        await using (opened.Session)
        {
            Answer<string?> answer = await opened.Session.ScalarAsync<string>(
                "SELECT CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE') THEN current_setting('primary_conninfo') END",
                PostgresConnector.DefaultTimeout,
                cancel);
            return answer is Answer<string?>.Got { Value: { } text } && Conninfo.TryParse(text, out Conninfo? parsed, out _)
                ? parsed["application_name"]
                : null;
        }
    }

    private static async Task RecordAsync(
        NodeTools tools, RegisterStandbyRequest request, ClusterView cluster, PlanOutcome outcome, CancellationToken cancel)
    {
        NodeRecord primary = ((PrimarySearch.Found)PrimarySearch.In(cluster)).Node.Record;
        Conninfo on = NodeReach.Of(primary, request.On);
        NodeId id = request.Node.Id;
        EventSubject about = new(primary.Id, primary.Conninfo, primary.Name);
        if (outcome is PlanOutcome.Failed { Step: not Step.AwaitNodeRecord } failed)
        {
            await tools.Events.RecordAsync(on, new ClusterEvent(id, EventName.StandbyRegister, false, failed.Problem.Message, about), cancel);
            return;
        }

        string details = $"upstream node ID is {request.Upstream ?? primary.Id}{(request.Force ? " (with --force)" : "")}";
        await tools.Events.RecordAsync(on, new ClusterEvent(id, EventName.StandbyRegister, true, details, about), cancel);
        if (request.Sync is not null)
        {
            ClusterEvent synced = outcome is PlanOutcome.Failed late
                ? new ClusterEvent(id, EventName.StandbyRegisterSync, false, late.Problem.Message, about)
                : new ClusterEvent(id, EventName.StandbyRegisterSync, true, "the record has reached the standby", about);
            await tools.Events.RecordAsync(on, synced, cancel);
        }
    }
}

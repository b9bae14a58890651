using Repmgr.Core.Cluster;
using Repmgr.Core.Planning;
using Repmgr.Core.Planning.Registration;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Execution;
using Repmgr.Engine.Files;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Metadata;
using Repmgr.Engine.Observation;
using Repmgr.Engine.Postgres;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr standby register</c></summary>
internal sealed class StandbyRegisterCommand : ICommand
{
    private static readonly TimeSpan s_waitStart = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    public async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancel)
    {
        if (!context.TryReadSettings(out SettingsLoad.Loaded? loaded))
            return ExitCode.BadConfig;

        Settings settings = loaded.Settings;
        List<Problem> problems = [.. LocalNode.Missing(settings)];
        Conninfo? elsewhere = null;
        if (ConnectionOptions.AreGiven(context.Options) && !ConnectionOptions.TryRead(context.Options, settings.Conninfo, out elsewhere, out Problem? problem))
            problems.Add(problem);
        if (problems.Count > 0)
            return context.Refuse(problems);

        NodeTools tools = new(context, settings);
        Conninfo on = settings.Conninfo!;
        NodeLook local = await AwaitStartAsync(tools, context, on, cancel);
        ClusterView cluster = await LookAtClusterAsync(tools, local, on, elsewhere, settings.NodeId!.Value, cancel);
        MetadataView? metadata = null;
        if (PrimarySearch.In(cluster) is PrimarySearch.Found primary)
        {
            switch (await MetadataLook.AtAsync(tools.Connector, NodeReach.Of(primary.Node.Record, on), settings, cancel))
            {
                case Answer<MetadataView>.Got got:
                    metadata = got.Value;
                    break;
                case Answer<MetadataView>.Failed failed:
                    return context.Refuse(new Problem("the metadata on the primary could not be looked at", Detail: failed.Reason), ExitCode.DbQuery);
            }
        }

        RegisteredConninfo registered = RegisteredConninfo.From(on, Environment.GetEnvironmentVariable);
        string? applicationName = local.Probe is NodeProbe.Standby && settings.NodeName is null ? await ApplicationNameAsync(tools, on, cancel) : null;
        NodeRecord node = LocalNode.Record(
            loaded, NodeType.Standby, registered.Conninfo, [.. cluster.Nodes.Select(view => view.Record)], applicationName);
        RegisterStandbyRequest request = new(
            node,
            on,
            context.Options.UpstreamNodeId is { } upstream ? new NodeId(upstream) : null,
            context.Options.Force,
            context.Options.WaitSync ? new SyncWait(context.Options.WaitSyncWithin) : null,
            registered.Notices);
        CarriedOut done = await context.CarryOutAsync(
            RegisterStandbyPlanner.Plan(request, new StandbySeen(local.Probe, cluster, metadata)), tools.Runner, cancel);
        if (done.Outcome is { } outcome)
            await RecordAsync(tools, request, cluster, outcome, cancel);
        if (done.Outcome is PlanOutcome.Done)
            context.Log.Notice($"node \"{node.Name}\" (ID: {node.Id}) is registered as standby");
        return done.ExitCode;
    }

    // A server that was just started is not there at once. One that refuses us for good is not waited for, nor one that need not run.
    private static async Task<NodeLook> AwaitStartAsync(NodeTools tools, CommandContext context, Conninfo on, CancellationToken cancel)
    {
        TimeSpan within = context.Options.WaitStart ?? (context.Options.Force || context.Options.DryRun ? TimeSpan.Zero : s_waitStart);
        long began = TimeProvider.System.GetTimestamp();
        bool said = false;
        while (true)
        {
            NodeLook look = await tools.Observer.LookAsync(on, cancel);
            bool mayCome = look.Probe is NodeProbe.Silent or NodeProbe.Rejected { SqlState: "57P03" };
            if (!mayCome || TimeProvider.System.GetElapsedTime(began) + s_pause > within)
                return look;

            if (!said)
                context.Log.Info($"the local server does not answer yet; waiting up to {within.TotalSeconds:0} s");
            said = true;
            await Task.Delay(s_pause, cancel);
        }
    }

    private static async Task<ClusterView> LookAtClusterAsync(
        NodeTools tools, NodeLook local, Conninfo on, Conninfo? elsewhere, NodeId self, CancellationToken cancel)
    {
        if (elsewhere is null)
            return await tools.Cluster.LookAtAllAsync(local, on, self, cancel);

        NodeLook there = await tools.Observer.LookAsync(elsewhere, cancel);
        return await tools.Cluster.LookAtOthersAsync(there, elsewhere, new Dictionary<NodeId, NodeLook> { [self] = local }, cancel);
    }

    // The setting can only be seen by a role that may see all settings.
    private static async Task<string?> ApplicationNameAsync(NodeTools tools, Conninfo on, CancellationToken cancel)
    {
        if (await tools.Connector.OpenAsync(on, cancel) is not ConnectResult.Opened opened)
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

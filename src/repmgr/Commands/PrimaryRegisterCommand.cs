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

/// <summary><c>repmgr primary register</c></summary>
internal sealed class PrimaryRegisterCommand : NodeCommand
{
    protected override async Task<ExitCode> RunAsync(LocalNode node, CancellationToken cancel)
    {
        Conninfo? superuser = node.Options.Superuser is { } role ? node.On.Without("password").With("user", role) : null;
        NodeLook look = await LookAsync(node, superuser, cancel);
        RegisteredConninfo registered = RegisteredConninfo.From(node.On, Environment.GetEnvironmentVariable);
        NodeRecord record = node.Record(NodeType.Primary, registered.Conninfo, look.Table.RecordsOrNone, null);
        PrimarySeen seen = new(look.Probe, null, new ClusterView(TimeProvider.System.GetUtcNow(), []), []);
        if (look.Probe is NodeProbe.Primary)
        {
            switch (await MetadataLook.AtAsync(node.Tools.Connector, node.On, node.Settings, cancel))
            {
                case Answer<MetadataView>.Got got:
                    seen = await LookFurtherAsync(node, look, got.Value, cancel);
                    break;
                case Answer<MetadataView>.Failed failed:
                    return node.Context.Refuse(new Problem("the metadata could not be looked at", Detail: failed.Reason), ExitCode.DbQuery);
            }
        }

        RegisterPrimaryRequest request = new(record, node.On, node.Settings.Cluster, node.Options.Force, registered.Notices)
        {
            Superuser = superuser,
        };
        CarriedOut done = await node.Context.CarryOutAsync(RegisterPrimaryPlanner.Plan(request, seen), node.Tools.Runner, cancel);
        if (done.Outcome is { } outcome)
            await RecordAsync(node.Tools, request, seen, outcome, cancel);
        if (done.Outcome is PlanOutcome.Done)
            node.Log.Notice($"{record.Label} is registered as primary");
        return done.ExitCode;
    }

    // Who is registered already must be seen before anything is written: a superuser who is named sees it where the role does not.
    private static async Task<NodeLook> LookAsync(LocalNode node, Conninfo? superuser, CancellationToken cancel)
    {
        NodeLook look = await node.Tools.Observer.LookAsync(node.On, cancel);
        return superuser is not null && look.Table is NodeTable.Unreadable { Rights: not null }
            ? look with { Table = (await node.Tools.Observer.LookAsync(superuser, cancel)).Table }
            : look;
    }

    private static async Task<PrimarySeen> LookFurtherAsync(LocalNode node, NodeLook look, MetadataView metadata, CancellationToken cancel)
    {
        ClusterView cluster = await node.Tools.Cluster.LookAtAllAsync(look, node.On, node.Id, cancel);
        IReadOnlyList<NodeRecord> oldDaemons = metadata.Schema is SchemaState.Extension && node.Options.Force
            ? await OldDaemons.FindAsync(node.Tools.Connector, cluster, node.On, cancel)
            : [];
        return new PrimarySeen(look.Probe, metadata, cluster, oldDaemons);
    }

    private static async Task RecordAsync(
        NodeTools tools, RegisterPrimaryRequest request, PrimarySeen seen, PlanOutcome outcome, CancellationToken cancel)
    {
        NodeId id = request.Node.Id;
        bool created = seen.Metadata?.Schema is SchemaState.Absent
            && outcome is PlanOutcome.Done or PlanOutcome.Failed { Step: not Step.EnsureSchema };
        if (created)
            await tools.Events.RecordAsync(request.On, new ClusterEvent(id, EventName.ClusterCreated, true, null), cancel);

        bool replaced = seen.Cluster.Find(id) is not null;
        ClusterEvent happened = new(
            id, EventName.PrimaryRegister, outcome is PlanOutcome.Done, outcome.Failure ?? (replaced ? "existing record replaced" : null));
        await tools.Events.RecordAsync(request.On, happened, cancel);
    }
}

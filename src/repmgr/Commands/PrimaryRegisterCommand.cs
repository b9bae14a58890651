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

/// <summary><c>repmgr primary register</c></summary>
internal sealed class PrimaryRegisterCommand : ICommand
{
    public async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancel)
    {
        if (!context.TryReadSettings(out SettingsLoad.Loaded? loaded))
            return ExitCode.BadConfig;

        Settings settings = loaded.Settings;
        if (LocalNode.Missing(settings) is { Count: > 0 } missing)
            return context.Refuse(missing);

        NodeTools tools = new(context, settings);
        Conninfo on = settings.Conninfo!;
        NodeLook look = await tools.Observer.LookAsync(on, cancel);
        RegisteredConninfo registered = RegisteredConninfo.From(on, Environment.GetEnvironmentVariable);
        NodeRecord node = LocalNode.Record(loaded, NodeType.Primary, registered.Conninfo, look.Table.RecordsOrNone, null);
        PrimarySeen seen = new(look.Probe, null, new ClusterView(TimeProvider.System.GetUtcNow(), []), []);
        if (look.Probe is NodeProbe.Primary)
        {
            switch (await LookFurtherAsync(tools, context, settings, look, node, cancel))
            {
                case Answer<PrimarySeen>.Got got:
                    seen = got.Value;
                    break;
                case Answer<PrimarySeen>.Failed failed:
                    return context.Refuse(new Problem("the metadata could not be looked at", Detail: failed.Reason), ExitCode.DbQuery);
            }
        }

        RegisterPrimaryRequest request = new(node, on, settings.Cluster, context.Options.Force, registered.Notices)
        {
            Superuser = context.Options.Superuser is { } superuser ? on.Without("password").With("user", superuser) : null,
        };
        CarriedOut done = await context.CarryOutAsync(RegisterPrimaryPlanner.Plan(request, seen), tools.Runner, cancel);
        if (done.Outcome is { } outcome)
            await RecordAsync(tools, request, seen, outcome, cancel);
        if (done.Outcome is PlanOutcome.Done)
            context.Log.Notice($"node \"{node.Name}\" (ID: {node.Id}) is registered as primary");
        return done.ExitCode;
    }

    private static async Task<Answer<PrimarySeen>> LookFurtherAsync(
        NodeTools tools, CommandContext context, Settings settings, NodeLook look, NodeRecord node, CancellationToken cancel)
    {
        Conninfo on = settings.Conninfo!;
        Answer<MetadataView> metadata = await MetadataLook.AtAsync(tools.Connector, on, settings, cancel);
        if (metadata is Answer<MetadataView>.Failed failed)
            return new Answer<PrimarySeen>.Failed(failed.SqlState, failed.Reason);

        MetadataView view = ((Answer<MetadataView>.Got)metadata).Value;
        ClusterView cluster = await tools.Cluster.LookAtAllAsync(look, on, node.Id, cancel);
        IReadOnlyList<NodeRecord> oldDaemons = view.Schema is SchemaState.Extension && context.Options.Force
            ? await OldDaemons.FindAsync(tools.Connector, cluster, on, cancel)
            : [];
        return new Answer<PrimarySeen>.Got(new PrimarySeen(look.Probe, view, cluster, oldDaemons));
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
        ClusterEvent happened = outcome is PlanOutcome.Failed failed
            ? new ClusterEvent(id, EventName.PrimaryRegister, false, failed.Problem.Message)
            : new ClusterEvent(id, EventName.PrimaryRegister, true, replaced ? "existing record replaced" : null);
        await tools.Events.RecordAsync(request.On, happened, cancel);
    }
}

using Repmgr.Core.Settings;
using Repmgr.Engine.Execution;
using Repmgr.Engine.Metadata;
using Repmgr.Engine.Observation;
using Repmgr.Engine.Postgres;

namespace Repmgr.Cli.Commands;

/// <summary>What commands look and act with, wired once.</summary>
internal sealed class NodeTools : IDisposable
{
    public NodeTools(CommandContext context, Settings settings)
    {
        Connector = new PostgresConnector();
        Observer = new NodeObserver(Connector);
        Cluster = new ClusterObserver(Observer, TimeProvider.System);
        Events = new EventRecorder(settings, Connector, TimeProvider.System, context.Log);
        Runner = new StepRunner(new StepContext(settings, Connector, TimeProvider.System, context.Log) { CopyProgress = context.Progress });
    }

    public PostgresConnector Connector { get; }

    public NodeObserver Observer { get; }

    public ClusterObserver Cluster { get; }

    public EventRecorder Events { get; }

    public StepRunner Runner { get; }

    public void Dispose() => Runner.Dispose();
}

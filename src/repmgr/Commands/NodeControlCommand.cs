using Repmgr.Core.Cluster;
using Repmgr.Core.Planning;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Engine.Failover;
using Repmgr.Engine.Observation;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr node control</c></summary>
internal sealed class NodeControlCommand : NodeCommand
{
    protected override async Task<ExitCode> RunAsync(LocalNode node, CancellationToken cancel)
    {
        if (await AutomaticFailover.WhyNotByHandAsync(node.Tools.Connector, node.On, node.Settings.Failover, cancel) is { } decided)
            return node.Context.Refuse(decided);

        NodeLook look = await node.Tools.Observer.LookAsync(node.On, cancel);
        if (look.Probe.Running is null)
        {
            (Problem unreached, ExitCode exitCode) = ConnectionProblem.From(look.Probe, LocalHealth.NameOf(node), node.On);
            return node.Context.Refuse(unreached, exitCode);
        }

        if (look.Probe is not NodeProbe.Standby)
            return node.Context.Refuse(new Problem($"node \"{LocalHealth.NameOf(node)}\" is no standby", "Only a standby has a WAL receiver."));

        Conninfo on = node.Options.Superuser is { } superuser ? node.On.With("user", superuser).Without("password") : node.On;
        Plan plan = new([new Step.SwitchReceiver(on, LocalHealth.NameOf(node), node.Options.EnableWalReceiver)]);
        return (await node.Context.CarryOutAsync(new Planned.Ready(plan), node.Tools.Runner, cancel)).ExitCode;
    }
}

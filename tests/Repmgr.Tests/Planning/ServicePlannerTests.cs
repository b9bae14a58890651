using System.Text;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Planning;
using Repmgr.Core.Planning.Promotion;
using Repmgr.Core.Planning.Services;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Tests.Failover.Reports;
using static Repmgr.Tests.Cluster.World;

namespace Repmgr.Tests.Planning;

/// <summary>What <c>node service</c> does, and what it would rather not where agents decide.</summary>
public sealed class ServicePlannerTests
{
    private static readonly Conninfo On = Parsed("host=node1 user=repmgr");

    /// <summary>Every action on every kind of node, with and without force.</summary>
    [Fact]
    public void Every_action_in_every_world()
    {
        StringBuilder table = new();
        foreach ((string world, int self, AgentsView? agents) in Worlds)
        {
            foreach (ServiceAction action in Enum.GetValues<ServiceAction>())
            {
                foreach (bool force in (bool[])[false, true])
                    Tell(table, $"{world}: {action.Name()}{(force ? " --force" : "")}", Plan(action, self, agents, force: force));
            }
        }

        Golden.Matches("tests/Repmgr.Tests/Planning/service-plans.txt", table.ToString());
    }

    private static IEnumerable<(string World, int Self, AgentsView? Agents)> Worlds =>
    [
        ("nobody decides", 1, null),
        ("the primary", 1, Agents.View()),
        ("the primary, in a pause", 1, Agents.View(Agents.Paused)),
        ("the primary, its agent is stopped", 1, Agents.View(report => Agents.Unless(report, 1))),
        ("a standby", 2, Agents.View()),
        ("a standby, its agent is stopped", 2, Agents.View(report => Agents.Unless(report, 2))),
    ];

    [Fact]
    public void A_checkpoint_goes_before_what_stops_a_server_that_runs_and_before_nothing_else()
    {
        ServiceAction[] with = [.. Enum.GetValues<ServiceAction>().Where(action => Steps(Plan(action, 1, null, checkpoint: true))[0] is Step.Checkpoint)];
        Assert.Equal([ServiceAction.Stop, ServiceAction.Restart], with);
        Assert.IsType<Step.ControlServer>(Assert.Single(Steps(Plan(ServiceAction.Stop, 1, null, checkpoint: true, isRunning: false))));
        Assert.IsType<Step.ControlServer>(Assert.Single(Steps(Plan(ServiceAction.Stop, 1, null))));
    }

    private static IReadOnlyList<Step> Steps(Planned planned) => Assert.IsType<Planned.Ready>(planned).Plan.Steps;

    private static Planned Plan(ServiceAction action, int self, AgentsView? agents, bool force = false, bool checkpoint = false, bool isRunning = true) => ServicePlanner.Plan(
        new ServiceRequest(action, Record(self), On, checkpoint ? On : null, force, TimeSpan.FromSeconds(60)),
        new ServiceSeen(isRunning, $"systemctl {action.Name()} postgresql", new PromoteWay.Command("promote it"), agents));

    private static void Tell(StringBuilder table, string title, Planned planned)
    {
        table.AppendLine(title);
        switch (planned)
        {
            case Planned.Refused refused:
                foreach (Problem problem in refused.Problems)
                    table.AppendLine($"  ERROR: {problem.Message}").AppendLine($"  DETAIL: {problem.Detail}").AppendLine($"  HINT: {problem.Hint}");
                break;
            case Planned.Ready ready:
                foreach (Problem notice in ready.Notices)
                    table.AppendLine($"  NOTICE: {notice.Message}").AppendLine($"  DETAIL: {notice.Detail}");
                foreach (Step step in ready.Plan.Steps)
                    table.AppendLine($"  {step.Describe()}");
                break;
        }
    }

    private static Conninfo Parsed(string text) => Conninfo.TryParse(text, out Conninfo? conninfo, out _) ? conninfo : throw new ArgumentException(text);
}

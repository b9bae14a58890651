using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Planning.Promotion;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Planning.Services;

/// <summary>What is to be done to the local server.</summary>
public enum ServiceAction
{
    Start,
    Stop,
    Restart,
    Reload,
    Promote,
}

/// <summary>What an action is called.</summary>
public static class ServiceActionNames
{
    /// <summary>As on the command line, and in the middle of <c>service_*_command</c>.</summary>
    public static string Name(this ServiceAction action) => action.ToString().ToLowerInvariant();
}

/// <summary>What is wanted of the local server.</summary>
/// <param name="Action">What.</param>
/// <param name="Node">The node.</param>
/// <param name="On">How it is reached.</param>
/// <param name="CheckpointOn">How it is reached for a checkpoint before it is stopped; null: none is wanted.</param>
/// <param name="Force">Go ahead where agents would bring something else about.</param>
/// <param name="Within">How long it may take.</param>
public sealed record ServiceRequest(ServiceAction Action, NodeRecord Node, Conninfo On, Conninfo? CheckpointOn, bool Force, TimeSpan Within);

/// <summary>What was seen before.</summary>
/// <param name="IsRunning">A server runs in the data directory.</param>
/// <param name="Command">What is run for the action.</param>
/// <param name="Promotion">How it would be promoted.</param>
/// <param name="Agents">What the agents say; null: none decide here.</param>
public sealed record ServiceSeen(bool IsRunning, string Command, PromoteWay Promotion, AgentsView? Agents);

/// <summary>Plans <c>node service</c>. Where agents decide, what they would make of it is said before it is done (docs/adr/0141).</summary>
public static class ServicePlanner
{
    /// <summary>A checkpoint of a large server under load takes minutes.</summary>
    private static readonly TimeSpan CheckpointWithin = TimeSpan.FromMinutes(10);

    public static Planned Plan(ServiceRequest request, ServiceSeen seen)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(seen);
        Problem? objection = seen.Agents is { } agents ? Objection(request, agents) : null;
        bool isFinal = request.Action == ServiceAction.Promote;
        if (objection is not null && (isFinal || !request.Force))
            return new Planned.Refused([objection]);

        List<Step> steps = [];
        if (request is { CheckpointOn: { } on, Action: ServiceAction.Stop or ServiceAction.Restart } && seen.IsRunning)
            steps.Add(new Step.Checkpoint(on, request.Node, CheckpointWithin));
        steps.Add(request.Action == ServiceAction.Promote
            ? new Step.Promote(request.On, request.Node, seen.Promotion, request.Within)
            : new Step.ControlServer(request.Action, seen.Command, request.Within));
        return new Planned.Ready(new Plan(steps), objection is null ? [] : [objection with { Hint = null }]);
    }

    private static Problem? Objection(ServiceRequest request, AgentsView agents)
    {
        NodeId self = request.Node.Id;
        AgentReport? own = agents.Of(self);
        bool isPrimary = own is { IsHolder: true } || (own is null && agents.Voters.Any(report => report.Holder == self));
        return (request.Action, isPrimary) switch
        {
            (ServiceAction.Promote, _) => new Problem(
                "failover is automatic: the agents decide which server is the primary",
                "A server that is promoted by other means is taken out of service by its agent.",
                "Run \"repmgr standby promote\": it asks the present primary to hand over."),
            (ServiceAction.Stop or ServiceAction.Restart, true) => new Problem(
                $"{request.Node.Label} is the primary, and failover is automatic: to {request.Action.Name()} its server is a failover",
                WhatIf.Lost(agents, self).Says,
                "To change the primary in good order, run \"repmgr standby promote\" on the node that is to take over. -F/--force goes ahead all the same."),
            (ServiceAction.Stop, false) when own is { IsVoter: true } => new Problem(
                $"the agent of {request.Node.Label} would start its server again",
                $"repmgrd runs here (PID {own.Pid}), and starts the server of its node whenever it is down.",
                "Stop it first with \"repmgr daemon stop\". -F/--force stops the server all the same."),
            _ => null,
        };
    }
}

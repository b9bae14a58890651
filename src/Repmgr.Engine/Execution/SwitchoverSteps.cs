using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Planning;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Engine.Failover;
using Repmgr.Engine.Observation;
using StepOutcome = Repmgr.Core.Planning.StepOutcome;

namespace Repmgr.Engine.Execution;

/// <summary>Has a standby and the primary exchange their roles, through the agents.</summary>
internal sealed class SwitchoverSteps(StepContext context)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan MeasuredWithin = TimeSpan.FromSeconds(1);

    public async Task<StepOutcome> AwaitNearAsync(Step.AwaitNear step, CancellationToken cancel)
    {
        long began = context.Clock.GetTimestamp();
        var observer = new NodeObserver(context.Connector);
        while (true)
        {
            NodeLook[] looks = await Task.WhenAll(observer.LookAsync(step.PrimaryOn, cancel), observer.LookAsync(step.On, cancel));
            ulong? lacks = looks is [{ Probe: NodeProbe.Primary primary }, { Probe: NodeProbe.Standby standby }] ? Lacks(primary.Written, standby) : null;
            if (lacks <= step.Bytes)
                return new StepOutcome.Done(string.Create(CultureInfo.InvariantCulture, $"it lacks {lacks} bytes"));
            if (context.Clock.GetElapsedTime(began) >= step.Within)
            {
                return Failed(
                    $"{step.Node.Label} has not come near enough to {step.Primary.Label}",
                    lacks is { } bytes
                        ? string.Create(CultureInfo.InvariantCulture, $"After {step.Within.TotalSeconds:0} s it still lacks {bytes} bytes, received and replayed.")
                        : $"One of them does not answer, or has another role than before: {looks[0].Probe.Obstacle ?? looks[1].Probe.Obstacle ?? "see \"repmgr cluster show\""}.",
                    "Nothing has been changed. Run it again when there is less to do, or raise wal_receive_check_timeout; -F/--force does not wait.", ExitCode.SwitchoverFailed);
            }

            await Task.Delay(LookEvery, context.Clock, cancel);
        }
    }

    public async Task<StepOutcome> HandOverAsync(Step.HandOver step, CancellationToken cancel)
    {
        (AgentsLook? look, Problem? problem) = await AgentsLook.BeginAsync(context.Settings, context.Connector, cancel);
        if (look is null)
            return new StepOutcome.Failed(problem!, ExitCode.DbConnection);
        using AgentsLook asked = look;
        AgentsView before = await look.LookAsync(cancel);
        if (before.Holder is not { IsServing: true } holder || (holder.Node != step.Primary.Id && holder.Node != step.Node.Id))
            return Failed($"{step.Primary.Label} does not hold the lease any more", $"At this moment, {before.Now()}.", "Nothing has been asked of it. Look at \"repmgr cluster show\", and run it again.", ExitCode.SwitchoverFailed);
        if (holder.Node == step.Node.Id)
            return new StepOutcome.AlreadyDone("it holds the lease, and takes writes");

        await using RefusedWrites? refused = await RefusedWrites.BeginAsync(context.Connector, step.PrimaryOn, step.On, context.Clock, cancel);
        if (await look.AskAsync(holder.Node, new Request.HandOver(step.Node.Id), cancel) is { } refusal)
            return Failed($"the agent of {step.Primary.Label} refuses to hand over", refusal, "Nothing has been changed. \"repmgr cluster explain\" says what it goes by.", ExitCode.SwitchoverFailed);
        AgentsView after = await AwaitHolderAsync(look, before.Term, step.Within, cancel);
        return after.Holder is { IsServing: true } serving && serving.Term > before.Term && serving.Node == step.Node.Id
            ? new StepOutcome.Done(refused is not null && await refused.LengthAsync(MeasuredWithin) is { } length
                ? string.Create(CultureInfo.InvariantCulture, $"it takes writes, in term {after.Term}; no server did for {length.TotalSeconds:0.000} s")
                : $"it takes writes, in term {after.Term}")
            : Elsewhere(step, after, before.Term);
    }

    private static ulong Lacks(Lsn written, NodeProbe.Standby standby) =>
        standby.Replayed is { } replayed && replayed < written ? (ulong)(written - replayed) : 0;

    // The former primary's agent may still run the operator's command, or be told not to: the lease is then where it was.
    private async Task<AgentsView> AwaitHolderAsync(AgentsLook look, Term before, TimeSpan within, CancellationToken cancel)
    {
        long began = context.Clock.GetTimestamp();
        while (true)
        {
            AgentsView view = await look.LookAsync(cancel);
            if (view.Holder is { IsServing: true } serving && serving.Term > before)
                return view;
            if (context.Clock.GetElapsedTime(began) >= within)
                return view;
            await Task.Delay(LookEvery, context.Clock, cancel);
        }
    }

    private static StepOutcome.Failed Elsewhere(Step.HandOver step, AgentsView agents, Term before) => agents.Holder switch
    {
        { IsServing: true } holder when holder.Term > before && holder.Node == step.Primary.Id => Failed(
            $"{step.Node.Label} did not take over, and {step.Primary.Label} is the primary again", "It was the better candidate, or the other did not answer in time.",
            "\"repmgr cluster explain\" says what was decided on.", ExitCode.SwitchoverFailed),
        { IsServing: true } holder when holder.Term > before => Failed(
            $"{agents.Label(holder.Node)} was elected instead of {step.Node.Label}", "It was the better candidate, or the other did not answer in time.",
            "\"repmgr cluster explain\" says what was decided on.", ExitCode.SwitchoverFailed),
        { IsServing: true } => Failed(
            $"{step.Primary.Label} has not handed over within {step.Within.TotalSeconds:0} s, and is the primary as before", "What was found meanwhile spoke against it, or its before_demote_command has not ended yet.",
            "The log of repmgrd there says which.", ExitCode.SwitchoverFailed),
        _ => Failed(
            $"no node has become the primary within {step.Within.TotalSeconds:0} s", $"At this moment, {agents.Now()}.",
            "The agents go on by themselves: \"repmgr cluster explain\" says what they wait for.", ExitCode.SwitchoverFailed),
    };

    private static StepOutcome.Failed Failed(string message, string? detail, string? hint, ExitCode code) => new(new Problem(message, detail, hint), code);
}

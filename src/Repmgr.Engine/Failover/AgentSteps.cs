using Repmgr.Core.Failover;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Logging;

namespace Repmgr.Engine.Failover;

/// <summary>How a step ended.</summary>
/// <param name="Outcome">What the machine hears.</param>
internal sealed record StepResult(StepOutcome Outcome)
{
    /// <summary>A member only took another name, and follows whom it followed before.</summary>
    public bool IsRenaming { get; init; }
}

/// <summary>Has each step done by the part that knows how, with the operator's commands around it.</summary>
/// <param name="parts">They do it.</param>
/// <param name="loop">What the machine knows.</param>
/// <param name="promoteWithin">How long a promotion may take.</param>
/// <param name="ends">Called when the machine has said all it had to say.</param>
/// <param name="log">Hears which step it is.</param>
internal sealed class AgentSteps(AgentParts parts, LoopLink loop, TimeSpan promoteWithin, Action ends, ILog log)
{
    public async Task<StepResult> DoAsync(AgentStep step, CancellationToken cancel)
    {
        log.Info(StepText.Of(step));
        return step is AgentStep.Follow follow ? await FollowAsync(follow, cancel) : new StepResult(await OutcomeAsync(step, cancel));
    }

    private async Task<StepOutcome> OutcomeAsync(AgentStep step, CancellationToken cancel)
    {
        switch (step)
        {
            case AgentStep.Fence fence:
                if (!fence.IsOrderly)
                    parts.Hooks.BesideDemote();
                StepOutcome fenced = await parts.Fence.FenceAsync(fence.IsOrderly, cancel);
                parts.Hooks.AfterDemote();
                return fenced;
            case AgentStep.PrepareHandOver prepare:
                await parts.Hooks.BeforeDemoteAsync(prepare.Successor, cancel);
                return new StepOutcome.Done();
            case AgentStep.CutReceiver:
                return await parts.Cut.CutAsync(cancel);
            case AgentStep.FetchWal fetch:
                return await parts.Rescue.FetchAsync(fetch, cancel);
            case AgentStep.StartServer:
                return await parts.Steps.StartAsync(cancel);
            case AgentStep.Promote promote:
                return await PromoteAsync(promote, cancel);
            case AgentStep.SetSynchronous set:
                return await parts.Synchronous.SetAsync(set.Set, cancel);
            case AgentStep.Rebuild rebuild:
                return await parts.Rejoin.RebuildAsync(rebuild, Fork(), cancel);
            case AgentStep.Exit:
                ends();
                return new StepOutcome.Done();
            default:
                return new StepOutcome.Failed("this version does not know how to");
        }
    }

    private async Task<StepOutcome> PromoteAsync(AgentStep.Promote promote, CancellationToken cancel)
    {
        await parts.Hooks.BeforePromoteAsync(promote, cancel);
        StepOutcome promoted = await parts.Steps.PromoteAsync(promote, promoteWithin, cancel);
        if (promoted is StepOutcome.Done)
            parts.Hooks.AfterPromote(promote);
        return promoted;
    }

    private async Task<StepResult> FollowAsync(AgentStep.Follow follow, CancellationToken cancel)
    {
        if (loop.State!.Server is ServerView.Recovering { Upstream: { } upstream } && upstream == follow.Holder)
            return new StepResult(await parts.Steps.FollowAsync(follow, cancel)) { IsRenaming = true };
        await parts.Hooks.BeforeFollowAsync(follow, cancel);
        StepOutcome followed = await parts.Steps.FollowAsync(follow, cancel);
        if (followed is StepOutcome.Done)
            parts.Hooks.AfterFollow(follow);
        return new StepResult(followed);
    }

    /// <summary>Up to where the own data and those that they are made anew from are the same.</summary>
    private Lsn Fork() => loop.State!.Durable is { Data: { } data, Rebuilding: { } rebuilding } ? data.CommonUntil(rebuilding.History) : Lsn.Zero;
}

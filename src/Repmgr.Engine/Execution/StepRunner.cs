using Repmgr.Core.Planning;
using Repmgr.Engine.Cloning;
using Repmgr.Engine.Metadata;

namespace Repmgr.Engine.Execution;

/// <summary>Knows who does each step. What a topic needs beyond its steps, it takes from the context.</summary>
public sealed class StepRunner(StepContext context) : IStepRunner, IDisposable
{
    private readonly MetadataSteps _metadata = new(context);
    private readonly PromotionSteps _promotion = new(context);
    private readonly FollowSteps _follow = new(context);
    private readonly ServiceSteps _service = new(context);
    private readonly ReceiverSteps _receiver = new(context);
    private readonly SwitchoverSteps _switchover = new(context);
    private readonly CloneSteps _clone = new(context);

    public Task<StepOutcome> RunAsync(Step step, CancellationToken cancel) => step switch
    {
        Step.EnsureSchema ensure => _metadata.EnsureSchemaAsync(ensure, cancel),
        Step.WriteNode write => _metadata.WriteNodeAsync(write, cancel),
        Step.DeleteNode delete => _metadata.DeleteNodeAsync(delete, cancel),
        Step.AwaitNodeRecord wait => _metadata.AwaitNodeRecordAsync(wait, cancel),
        Step.DeleteHistory delete => _metadata.DeleteHistoryAsync(delete, cancel),
        Step.Promote promote => _promotion.PromoteAsync(promote, cancel),
        Step.Repoint repoint => _follow.RepointAsync(repoint, cancel),
        Step.RestartServer restart => _follow.RestartAsync(restart, cancel),
        Step.AwaitStreaming wait => _follow.AwaitStreamingAsync(wait, cancel),
        Step.DropSlot drop => _follow.DropSlotAsync(drop, cancel),
        Step.Checkpoint checkpoint => _service.CheckpointAsync(checkpoint, cancel),
        Step.ControlServer control => _service.ControlAsync(control, cancel),
        Step.SwitchReceiver receiver => _receiver.SwitchAsync(receiver, cancel),
        Step.AwaitNear wait => _switchover.AwaitNearAsync(wait, cancel),
        Step.HandOver hand => _switchover.HandOverAsync(hand, cancel),
        Step.Together together => TogetherAsync(together, cancel),
        _ => _clone.RunAsync(step, cancel),
    };

    public void Dispose() => _clone.Dispose();

    private async Task<StepOutcome> TogetherAsync(Step.Together together, CancellationToken cancel)
    {
        StepOutcome last = new StepOutcome.AlreadyDone();
        foreach (Step step in together.Steps)
        {
            last = await RunAsync(step, cancel);
            if (last is StepOutcome.Failed)
                return last;
        }

        return last;
    }
}

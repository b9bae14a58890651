using Repmgr.Core.Planning;
using Repmgr.Engine.Metadata;

namespace Repmgr.Engine.Execution;

/// <summary>Knows who does each step. What a topic needs beyond its steps, it takes from the context.</summary>
public sealed class StepRunner(StepContext context) : IStepRunner
{
    private readonly MetadataSteps _metadata = new(context);

    public Task<StepOutcome> RunAsync(Step step, CancellationToken cancel) => step switch
    {
        Step.EnsureSchema ensure => _metadata.EnsureSchemaAsync(ensure, cancel),
        Step.WriteNode write => _metadata.WriteNodeAsync(write, cancel),
        Step.DeleteNode delete => _metadata.DeleteNodeAsync(delete, cancel),
        Step.AwaitNodeRecord wait => _metadata.AwaitNodeRecordAsync(wait, cancel),
        Step.DeleteHistory delete => _metadata.DeleteHistoryAsync(delete, cancel),
        _ => throw new InvalidOperationException($"nobody does the step {step.GetType().Name}"),
    };
}

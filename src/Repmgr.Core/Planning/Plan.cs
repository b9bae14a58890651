using Repmgr.Core.Cloning;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Planning;

/// <summary>Steps in the order in which they are to be done.</summary>
/// <param name="Steps">An empty list: everything is as it should be already.</param>
/// <param name="AftermathFrom">
/// The index of the first step of the aftermath: failing before it is "failed", from it on "incomplete"
/// (the goal is reached, but something is left to do), and the steps after it are tried all the same. Null: there is no aftermath.
/// </param>
/// <param name="WayBack">
/// What puts things back as they were when a step before the aftermath fails; null: what was done stays, and running the
/// command again goes on from there.
/// </param>
public sealed record Plan(IReadOnlyList<Step> Steps, int? AftermathFrom = null, IReadOnlyList<Step>? WayBack = null);

/// <summary>What a planner answers.</summary>
public abstract record Planned
{
    private Planned() { }

    /// <summary>The same, refused for one reason more.</summary>
    /// <param name="obstacle">What was found beside; null: nothing.</param>
    public Planned Unless(Problem? obstacle)
    {
        if (obstacle is null)
            return this;

        return this is Refused refused ? refused with { Problems = [.. refused.Problems, obstacle] } : new Refused([obstacle]);
    }

    /// <summary>The command cannot be done as things are: every reason, not just the first.</summary>
    public sealed record Refused(IReadOnlyList<Problem> Problems, ExitCode ExitCode = ExitCode.BadConfig) : Planned;

    /// <summary>It can be done.</summary>
    /// <param name="Plan">How.</param>
    /// <param name="Notices">What the operator should know before (what <c>--force</c> overrode, for instance).</param>
    public sealed record Ready(Plan Plan, IReadOnlyList<Problem> Notices) : Planned
    {
        public Ready(Plan plan) : this(plan, []) { }
    }
}

/// <summary>How a step ended.</summary>
public abstract record StepOutcome
{
    private StepOutcome() { }

    /// <summary>Done now, and seen to be done.</summary>
    public sealed record Done(string? Note = null) : StepOutcome
    {
        /// <summary>What the step copied; null when copying was not what it did.</summary>
        public CloneResult? Copied { get; init; }
    }

    /// <summary>The goal was reached before.</summary>
    public sealed record AlreadyDone(string? Note = null) : StepOutcome;

    /// <summary>Not done; the plan stops here.</summary>
    public sealed record Failed(Problem Problem, ExitCode ExitCode) : StepOutcome;
}

using Repmgr.Core.Problems;

namespace Repmgr.Engine.Cloning;

/// <summary>A copy that cannot go on, from deep inside one.</summary>
internal sealed class CopyFailure(Problem problem, ExitCode exitCode) : Exception(problem.Message)
{
    public CopyFailure((Problem Problem, ExitCode ExitCode) failure) : this(failure.Problem, failure.ExitCode) { }

    public Problem Problem { get; } = problem;

    public ExitCode ExitCode { get; } = exitCode;
}

namespace Repmgr.Core.Problems;

/// <summary>Something to be said in the log. Detail and hint follow as lines of their own, as in PostgreSQL's log.</summary>
/// <param name="Severity">How much it matters.</param>
/// <param name="Message">Lower case, no full stop.</param>
/// <param name="Detail">Whole sentences: the facts behind it.</param>
/// <param name="Hint">Whole sentences: what to do.</param>
public sealed record LogLine(Severity Severity, string Message, string? Detail = null, string? Hint = null)
{
    public static LogLine From(Severity severity, Problem problem) => new(severity, problem.Message, problem.Detail, problem.Hint);
}

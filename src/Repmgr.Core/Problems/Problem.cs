namespace Repmgr.Core.Problems;

/// <summary>Something that stands in the way, said the way PostgreSQL says it.</summary>
/// <param name="Message">Lower case, no full stop: <c>the candidate lags too far behind</c>.</param>
/// <param name="Detail">Whole sentences with the facts and numbers behind the message.</param>
/// <param name="Hint">Whole sentences that say what to do next.</param>
/// <remarks>https://www.postgresql.org/docs/current/error-style-guide.html</remarks>
public sealed record Problem(string Message, string? Detail = null, string? Hint = null);

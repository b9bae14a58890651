using System.Collections.Immutable;

namespace Repmgr.Core.Failover;

/// <summary>What was decided and on what: also not to act (R17). The agent keeps the last ones, for <c>cluster explain</c>.</summary>
/// <param name="At">The last time, on the boot clock.</param>
/// <param name="Rule">The rule that it follows.</param>
/// <param name="Name">Which edge of the machine, or which refusal.</param>
/// <param name="Evidence">What it was decided on: for people.</param>
/// <param name="Times">How often in a row, or in turn with a few others.</param>
public sealed record Decision(TimeSpan At, string Rule, string Name, string Evidence, int Times)
{
    private const int Kept = 60;
    private const int Alike = 6;

    /// <summary>The newest last; one that repeats itself among the last ones is counted.</summary>
    public static ImmutableArray<Decision> Add(ImmutableArray<Decision> before, TimeSpan at, string rule, string name, string evidence)
    {
        int times = 1;
        for (int index = before.Length - 1; index >= Math.Max(0, before.Length - Alike); index--)
        {
            Decision old = before[index];
            if (old.Name != name || old.Rule != rule || old.Evidence != evidence)
                continue;
            times += old.Times;
            before = before.RemoveAt(index);
            break;
        }

        if (before.Length == Kept)
            before = before.RemoveAt(0);
        return before.Add(new Decision(at, rule, name, evidence, times));
    }
}

using Repmgr.Core.Cluster;

namespace Repmgr.Core.Failover.Synchronous;

/// <summary>The next thing to do on the way from the present set to a wanted one (R9).</summary>
public abstract record SetStep
{
    private SetStep() { }

    /// <summary>Nothing is left to be done.</summary>
    public sealed record Rest : SetStep;

    /// <summary>Tighten: set it in PostgreSQL, and wait until it is effective. Remembering follows.</summary>
    public sealed record PutInForce(SyncSet Set) : SetStep;

    /// <summary>Remember the set that is in force; before, a commit is acknowledged under it and its members have flushed that commit.</summary>
    public sealed record RememberInForce(SyncSet Set) : SetStep;

    /// <summary>Loosen: a majority remembers it first. Setting it in PostgreSQL follows.</summary>
    public sealed record RememberFirst(SyncSet Set) : SetStep;
}

/// <summary>How a set is changed: one change at a time, so that at every instant the one in force covers the one remembered (R9).</summary>
public static class SetChange
{
    /// <param name="remembered">What a majority is known to remember.</param>
    /// <param name="inForce">What PostgreSQL has.</param>
    /// <param name="loosened">The set that this agent has just had remembered, and is to put in force now; null: none, or the agent was started again.</param>
    public static SetStep Next(SyncSet remembered, SyncSet inForce, SyncSet? loosened, SyncSet wanted, NodeId holder)
    {
        if (loosened is not null && loosened.Equals(remembered) && !inForce.Equals(remembered))
            return new SetStep.PutInForce(remembered);
        if (!inForce.Equals(remembered))
            return Differing(remembered, inForce, wanted, holder);
        if (inForce.Equals(wanted))
            return new SetStep.Rest();
        SyncSet next = Toward(inForce, wanted, holder);
        return SyncRules.Covers(next, remembered, holder) ? new SetStep.PutInForce(next) : new SetStep.RememberFirst(next);
    }

    /// <summary>
    /// What is in force is to be remembered, if it can become effective. What covers the remembered set as well may take its place; and that nobody but the holder
    /// counts can always be remembered, since the holder has every commit (docs/adr/0085).
    /// </summary>
    private static SetStep Differing(SyncSet remembered, SyncSet inForce, SyncSet wanted, NodeId holder)
    {
        if (!inForce.Equals(wanted) && SyncRules.Covers(wanted, remembered, holder))
            return new SetStep.PutInForce(wanted);
        bool canBeEffective = inForce.Members.Count(wanted.Members.Contains) >= inForce.Count;
        return canBeEffective || remembered.Count == 0 ? new SetStep.RememberInForce(inForce) : new SetStep.RememberFirst(SyncSet.Empty);
    }

    /// <summary>The wanted set where one change leads there, else the present members with one or all of the wanted ones.</summary>
    private static SyncSet Toward(SyncSet present, SyncSet wanted, NodeId holder)
    {
        SyncSet union = SyncSet.Of([.. present.Members, .. wanted.Members], Math.Max(present.Count, 1));
        SyncSet[] ways = [wanted, SyncSet.Of(union.Members, wanted.Count), union];
        return ways.First(way => !way.Equals(present) && (SyncRules.Covers(way, present, holder) || SyncRules.Covers(present, way, holder)));
    }
}

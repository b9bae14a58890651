namespace Repmgr.Core.Failover;

/// <summary>Maintenance: nobody votes, nobody fences, nobody resigns, renewals go on (R14). A remembered change, made by the holder.</summary>
/// <param name="Term">Of the holder that made it.</param>
/// <param name="Change">Grows with each beginning and end in the term.</param>
/// <param name="Length">How long it lasts at most; null: it has ended. Counted anew when the holder's agent is started, since instants do not outlive a clock.</param>
public sealed record Pause(Term Term, int Change, TimeSpan? Length)
{
    /// <summary>A majority acknowledged it: known to the holder alone.</summary>
    public bool IsConfirmed { get; init; }

    public bool IsOn => Length is not null;

    public bool IsOlderThan(Pause other) => Term != other.Term ? Term < other.Term : Change < other.Change;
}

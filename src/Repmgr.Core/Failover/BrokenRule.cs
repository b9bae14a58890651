namespace Repmgr.Core.Failover;

/// <summary>Ways to break the rules. Each is there because a simulation has to notice it.</summary>
[Flags]
internal enum BrokenRule
{
    None = 0,

    /// <summary>R1: messages leave before the state they depend on is on disk.</summary>
    AnswersBeforeRemembering = 1 << 0,

    /// <summary>R1: a restarted voter votes at once.</summary>
    NoQuietPeriod = 1 << 1,

    /// <summary>R2: the lease lasts as long as the promises.</summary>
    NoMargin = 1 << 2,

    /// <summary>R2: a shorter renewal shortens a longer promise.</summary>
    PromiseAssigned = 1 << 3,

    /// <summary>R2: the lease counts from the acknowledgement.</summary>
    LeaseFromAcknowledgement = 1 << 4,

    /// <summary>R8: votes alone make a primary.</summary>
    PromotesOnVotes = 1 << 5,

    /// <summary>R8: the receiver stays when the vote is given.</summary>
    NoCut = 1 << 6,

    /// <summary>R8: a voter forgets its promise when it is asked for a vote.</summary>
    VotesInSpiteOfPromise = 1 << 7,

    /// <summary>R8: a voter votes twice in a term.</summary>
    VotesTwice = 1 << 8,

    /// <summary>R8: positions do not matter.</summary>
    VotesForWhoIsBehind = 1 << 9,

    /// <summary>R10, R5: a term that was given back is held again.</summary>
    HoldsResignedTerm = 1 << 10,

    /// <summary>R10: the term is given back before the server is out of service.</summary>
    ResignsBeforeFence = 1 << 11,
}

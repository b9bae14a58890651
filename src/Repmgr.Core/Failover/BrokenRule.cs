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

    /// <summary>R9: a set is loosened in PostgreSQL first, and tightened in memory first.</summary>
    ReversesSetChange = 1 << 12,

    /// <summary>R9: a set is remembered before a commit was acknowledged under it.</summary>
    NoBarrier = 1 << 13,

    /// <summary>R9: any majority elects, whoever of the set is in it.</summary>
    CountsAnyMajority = 1 << 14,

    /// <summary>R9: a candidate counts by the set on its own disk.</summary>
    CountsByOwnSet = 1 << 15,

    /// <summary>R9: a winner remembers its first set, and not the one that it inherited.</summary>
    SetNotInherited = 1 << 16,

    /// <summary>R9: the set that is inherited keeps the old holder.</summary>
    KeepsOldHolder = 1 << 17,

    /// <summary>R9: a winner's first set has the count that it inherited, whoever is in it.</summary>
    FirstSetTooSmall = 1 << 18,

    /// <summary>R9: the next change begins before a majority remembers the last one.</summary>
    ChangesUnconfirmed = 1 << 19,

    /// <summary>R13: a candidate counts by the membership on its own disk.</summary>
    CountsByOwnMembership = 1 << 20,

    /// <summary>R13: the next change of the voters begins before the last one is confirmed.</summary>
    ChangesVotersUnconfirmed = 1 << 21,

    /// <summary>R13: two changes of the voters are made as one.</summary>
    TwoVotersAtOnce = 1 << 22,

    /// <summary>R13: a change that is not confirmed counts by the new voters alone.</summary>
    NewVotersAlone = 1 << 23,

    /// <summary>R13: who is no voter is heard, and counts.</summary>
    StrangersCount = 1 << 24,

    /// <summary>R15: one of two voters goes on alone, whether the remembered set names it or not.</summary>
    AloneOutsideSet = 1 << 25,

    /// <summary>R2: a promise that lies in the store counts as over for who has only just seen it.</summary>
    StoredPromiseUnwatched = 1 << 26,

    /// <summary>R8: a transaction does not compare what lies in the store with what was decided on.</summary>
    StoreNotCompared = 1 << 27,

    /// <summary>R1: the store's voter answers before the store has taken the transaction.</summary>
    AnswersBeforeStored = 1 << 28,

    /// <summary>R11: a node whose server is being started does not say what it is known to have.</summary>
    SilentWhileStarting = 1 << 29,

    /// <summary>R9: a set shrinks for want of a look at the server.</summary>
    DropsUnseenMembers = 1 << 30,
}

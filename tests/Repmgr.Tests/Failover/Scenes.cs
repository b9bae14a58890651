using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Synchronous;
using static Repmgr.Tests.Failover.OneAgent;

namespace Repmgr.Tests.Failover;

/// <summary>Where a story begins: one agent that has come so far.</summary>
internal static class Scenes
{
    internal static readonly DataPosition Far = new(new Term(1), At(1000));

    /// <summary>Edges that the simulation hardly ever walks.</summary>
    internal static IEnumerable<(string From, string Name, string To, string Rule)> RareEdges() =>
        new[]
        {
            Serving().Hear(3, new Message.Superseded(new Term(2), new NodeId(2))),
            Serving().Hear(3, new Message.Superseded(new Term(2), null)).Hear(3, new Message.Vote(new Term(3), null, new Term(3))),
            new OneAgent().See(new ServerView.Writable(At(500))),
            TooSlow(),
            CannotTell(),
            new OneAgent().SeeStandby(1000, upstream: null).Pass(0.05).Ask(new Request.GoOnWithoutMajority([Id(2)], new Term(1))),
        }.SelectMany(agent => agent.Walked).Select(edge => (edge.From, edge.Name, edge.To, edge.Rule));

    internal static TimeSpan? Lease(OneAgent holder) => ((Role.Holding)holder.State.Role).LeaseEnd;

    internal static OneAgent Serving() => new OneAgent(node: 1).See(new ServerView.Writable(At(500))).Echo(1.9).Pass(0.05);

    internal static Candidacy Of(int node, ulong position) =>
        new(new NodeId(node), First.At(At(position)), First, IsEligible: true, IsSynchronous: false, Priority: 100, IsNear: true, LeftToReplay: 0);

    internal static Message.Ballot Ballot(OneAgent asking, Refusal? refusal) => new(asking.State.Counter, new Term(1), refusal, null);

    internal static OneAgent Voted()
    {
        OneAgent voter = new OneAgent().SeeStandby(900).Hear(3, new Message.AskVote(new Term(2), Far)).Stopped(900);
        Assert.Null(voter.Told<Message.Vote>(3)!.Refusal);
        return voter;
    }

    internal static OneAgent Winner()
    {
        OneAgent candidate = new OneAgent().SeeStandby(1000, upstream: null).Pass(0.05);
        candidate.Hear(3, Ballot(candidate, null)).Pass(0.5).Stopped(1000);
        return candidate.Hear(3, new Message.Vote(new Term(2), null, new Term(2)));
    }

    /// <summary>Its receiver is gone, and where its WAL ends cannot be read.</summary>
    private static OneAgent CannotTell()
    {
        OneAgent candidate = new OneAgent().SeeStandby(1000, upstream: null).Pass(0.05);
        return candidate.Hear(3, Ballot(candidate, null)).Pass(0.5).Stopped(null);
    }

    internal static OneAgent TooSlow()
    {
        OneAgent winner = Promoting();
        for (int look = 0; look < 60 && winner.State.Role is Role.Holding; look++)
        {
            winner.Pass(0.25).Echo(1.5);
            Message.Renew renew = winner.Told<Message.Renew>(3)!;
            winner.Hear(3, new Message.Renewed(renew.Term, renew.Round, new NodeId(2)));
        }

        return winner;
    }

    internal static OneAgent Promoting()
    {
        OneAgent winner = Winner().Echo(null);
        Message.Renew renew = winner.Told<Message.Renew>(3)!;
        return winner.Hear(3, new Message.Renewed(renew.Term, renew.Round, new NodeId(2))).Echo(2);
    }

    internal static SyncMember Member(int node) => new(new NodeId(node), (ulong)node);

    internal static SyncSet Set(int count, params int[] nodes) => SyncSet.Of(nodes.Select(Member), count);

    internal static RememberedSet Remembered(SyncSet set, SyncMode mode = SyncMode.Quorum, int change = 1, int holder = 1) =>
        new(new Term(1), change, set, Member(holder)) { Mode = mode, Wanted = Math.Max(1, set.Count) };

    internal static SyncStamp Stamp(int change) => new(new Term(1), change);

    /// <summary>Node 1 holds term 1 with this set in force; node 3 acknowledged its renewal.</summary>
    internal static OneAgent SyncHolder(RememberedSet remembered, SyncSet inForce)
    {
        OneAgent holder = new OneAgent(node: 1, disk: durable => durable with { Set = remembered, InForce = new StampedSet(Stamp(1), inForce) })
            .See(new ServerView.Writable(At(500)) { Identity = 1 }).Echo(1.9).Pass(0.05);
        return holder.AcknowledgedBy(3);
    }

    /// <summary>What the holder sees: its own commit, and who has flushed it.</summary>
    internal static ServerView.Writable Sees(OneAgent holder, int change, params int[] flushed) => new(At(600))
    {
        Identity = 1,
        LastCommit = new AcknowledgedCommit(holder.Now, At(600)),
        Senders = [.. flushed.Select(node => new Sender(new NodeId(node), Stamp(change), At(600)))],
    };

    /// <summary>Node 2 of three with data asks for votes; it remembers this set.</summary>
    internal static OneAgent SyncCandidate(RememberedSet remembered)
    {
        OneAgent candidate = new OneAgent(disk: durable => durable with { Set = remembered })
            .See(new ServerView.Recovering(At(1000), null, 0) { Identity = 2 }).Pass(0.05);
        candidate.Hear(3, Ballot(candidate, null) with { Member = Member(3) }).Pass(0.5);
        return candidate.Stopped(1000);
    }

    internal static Message.Vote VoteOf(int node, RememberedSet? set, ulong? data = null) =>
        new(new Term(2), null, new Term(2)) { Set = set, Member = new SyncMember(new NodeId(node), data ?? (ulong)node) };
}

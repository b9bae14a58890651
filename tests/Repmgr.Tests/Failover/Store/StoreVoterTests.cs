using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Store;
using Repmgr.Core.Postgres;

namespace Repmgr.Tests.Failover.Store;

/// <summary>The voter that lies in a store: what it answers, and what is to be written for that.</summary>
public sealed class StoreVoterTests
{
    private static readonly VoterId Store = StoreScene.Store;
    private static readonly TimeSpan Ttl = TimeSpan.FromSeconds(3), Seen = TimeSpan.FromSeconds(1000);

    [Fact]
    public void R2_a_renewal_is_acknowledged_once_the_word_is_written_and_nothing_else_is()
    {
        StoreTurn turn = Decide(StoreScene.Renew(1, term: 1), StoreScene.View(heldBy: 1), after: 1);
        Assert.Equal(new NodeId(1), Assert.IsType<Message.Renewed>(Assert.Single(turn.Answers)).Holder);
        Assert.False(turn.IsRemembered);
        Assert.Equal((new NodeId(1), Ttl), (turn.Next!.Promise!.To, turn.Next.Promise.Length));
    }

    [Fact]
    public void R2_a_word_is_over_for_who_has_seen_it_unchanged_for_its_length_and_for_nobody_else()
    {
        Envelope ask = StoreScene.AskVote(2, term: 2);
        StoreTurn early = Decide(ask, StoreScene.View(heldBy: 1), after: 2.999);
        Assert.Equal(Refusal.Promised, Assert.IsType<Message.Vote>(Assert.Single(early.Answers)).Refusal);
        Assert.Null(early.Next);

        StoreTurn late = Decide(ask, StoreScene.View(heldBy: 1), after: 3);
        Assert.Null(Assert.IsType<Message.Vote>(Assert.Single(late.Answers)).Refusal);
        Assert.True(late.IsRemembered);
        Assert.Equal((new Term(2), (NodeId?)new NodeId(2)), (late.Next!.Durable.Term, late.Next.Durable.VotedFor));
        Assert.Equal((new NodeId(2), Ttl), (late.Next.Promise!.To, late.Next.Promise.Length));
    }

    [Fact]
    public void R2_who_sees_another_word_or_a_word_for_another_renewal_begins_to_wait_anew()
    {
        StoreView first = StoreScene.View(heldBy: 1);
        TimeSpan later = Seen + TimeSpan.FromSeconds(2);
        Assert.Equal(Seen, StoreView.See(first, first.Voter, 9, first.PromiseRevision, later).SeenSince);
        Assert.Equal(later, StoreView.See(first, first.Voter, 1, first.PromiseRevision + 1, later).SeenSince);
        // A store that was put back from a backup comes to the same revisions again.
        StoredVoter other = first.Voter with { Promise = first.Voter.Promise! with { For = new Round(9, 77) } };
        Assert.Equal(later, StoreView.See(first, other, 1, first.PromiseRevision, later).SeenSince);
        Assert.Equal(later, StoreView.See(null, first.Voter, 1, first.PromiseRevision, later).SeenSince);
    }

    [Fact]
    public void R14_a_longer_word_is_not_shortened_by_a_renewal_that_asks_for_less()
    {
        StoreView view = StoreScene.View(heldBy: 1, seconds: 30);
        StoreTurn turn = Decide(StoreScene.Renew(1, term: 1), view, after: 10);
        Assert.Equal(TimeSpan.FromSeconds(20), turn.Next!.Promise!.Length);
        Assert.Equal(Ttl, Decide(StoreScene.Renew(1, term: 1), view, after: 29).Next!.Promise!.Length);
    }

    [Fact]
    public void R10_a_term_that_is_given_back_is_closed_there_and_its_word_is_gone()
    {
        StoreTurn turn = Decide(StoreScene.From(1, new Message.Resign(new Term(1))), StoreScene.View(heldBy: 1), after: 0.1);
        Assert.Null(turn.Next!.Promise);
        Assert.Equal(new Term(1), turn.Next.Durable.Closed);
        var view = new StoreView(turn.Next, 5, 5, Seen);
        Assert.Null(Assert.IsType<Message.Vote>(Assert.Single(Decide(StoreScene.AskVote(2, 2), view, after: 0).Answers)).Refusal);
        Assert.Empty(Decide(StoreScene.Renew(1, term: 1), view, after: 0).Answers);
    }

    [Fact]
    public void R3_who_renews_a_term_that_was_overtaken_hears_of_the_holder_only_when_there_is_one()
    {
        StoreView voted = StoreScene.View(heldBy: 1) is var view ? view with { Voter = Decide(StoreScene.AskVote(2, 2), view, after: 4).Next! } : null!;
        Assert.Equal(new Message.Superseded(new Term(2), null), Assert.Single(Decide(StoreScene.Renew(1, term: 1), voted, after: 4).Answers));

        StoreView held = voted with { Voter = Decide(StoreScene.Renew(2, term: 2), voted, after: 4).Next! };
        Assert.Equal(new Message.Superseded(new Term(2), new NodeId(2)), Assert.Single(Decide(StoreScene.Renew(1, term: 1), held, after: 4).Answers));
    }

    [Fact]
    public void R1_asking_how_it_would_vote_writes_nothing_and_needs_no_quiet_time()
    {
        StoreTurn turn = Decide(StoreScene.From(2, new Message.AskBallot(4, null)), StoreScene.View(heldBy: 1), after: 3);
        Assert.Null(turn.Next);
        Assert.Null(Assert.IsType<Message.Ballot>(Assert.Single(turn.Answers)).Refusal);
    }

    [Fact]
    public void R13_who_is_no_member_is_not_heard()
    {
        Envelope stranger = StoreScene.AskVote(2, 2) with { From = new VoterId(new NodeId(2), 999) };
        StoreTurn turn = Decide(stranger, StoreScene.View(heldBy: 1), after: 60);
        Assert.Null(turn.Next);
        Assert.Empty(turn.Answers);
    }

    [Fact]
    public void The_stores_voter_alone_is_a_majority_and_nobody_is_one_without_it()
    {
        Membership members = StoreScene.Members;
        Assert.True(members.IsMajority([Store]));
        Assert.False(members.IsMajority([OneAgent.Id(1), OneAgent.Id(2)]));
        Assert.Equal(Store, members.Store);
    }

    private static StoreTurn Decide(Envelope envelope, StoreView view, double after) =>
        StoreVoter.Decide(Store, view, new AgentPolicy(), envelope, Seen + TimeSpan.FromSeconds(after));
}

/// <summary>Two nodes and a store; a view of it that was first seen at second 1000.</summary>
internal static class StoreScene
{
    public static readonly VoterId Store = new(VoterId.StoreNode, 0xABC);

    public static readonly Membership Members =
        new(new Term(1), 1, [new Voter(OneAgent.Id(1), true), new Voter(OneAgent.Id(2), true), new Voter(Store, false)]);

    public static DurableState Durable(int holder) => new()
    {
        Term = new Term(1),
        VotedFor = new NodeId(holder),
        Membership = Members,
        Announced = OneAgent.First,
        LongestPromise = TimeSpan.FromSeconds(3),
    };

    public static StoreView View(int heldBy, double seconds = 3) =>
        new(StoredVoter.First(Durable(heldBy), TimeSpan.FromSeconds(seconds)), 1, 1, TimeSpan.FromSeconds(1000));

    public static Envelope From(int node, Message message) => new(OneAgent.Id(node), VoterId.StoreNode, message);

    public static Envelope AskVote(int node, long term) => From(node, new Message.AskVote(new Term(term), new DataPosition(new Term(1), new Lsn(100))));

    public static Envelope Renew(int node, long term, long number = 1) => From(node, new Message.Renew(
        new Term(term), new Round(9, number), TimeSpan.FromSeconds(3), Members,
        term == 1 ? OneAgent.First : OneAgent.First.PromotedAt(new Lsn(100), new Term(term)), new Lsn(100), "default", true));
}

using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using static Repmgr.Tests.Failover.Scenes;

namespace Repmgr.Tests.Failover.Rules;

/// <summary>What is remembered and promised (R1, R2): what went wrong with simpler rules, one agent at a time. A number at the end is that of the scenario.</summary>
public sealed class MemoryTests
{
    [Fact]
    public void R1_nothing_that_depends_on_a_promise_leaves_before_it_is_on_disk()
    {
        OneAgent voter = new OneAgent(savesAtOnce: false).Renew(1, term: 1);

        Assert.Null(voter.Told<Message.Renewed>(1));
        Assert.Equal(TimeSpan.FromSeconds(3), Assert.Single(voter.Written).LongestPromise);
        Assert.NotNull(voter.Save().Told<Message.Renewed>(1));
    }

    [Fact]
    public void R1_a_disk_that_hangs_keeps_one_answer_of_a_kind()
    {
        var voter = new OneAgent(savesAtOnce: false);
        for (int round = 1; round <= 50; round++)
            voter.Renew(1, term: 1, number: round);

        Assert.Single(voter.State.Held);
        Assert.Equal(50, voter.Save().Told<Message.Renewed>(1)!.Round.Number);
    }

    [Fact]
    public void R1_a_restarted_voter_is_quiet_for_the_longest_ttl_it_ever_promised_8()
    {
        OneAgent voter = new OneAgent(disk: durable => durable with { LongestPromise = TimeSpan.FromSeconds(30) }).SeeStandby(100);

        voter.Pass(29.9).Hear(3, new Message.AskVote(new Term(2), Far));
        Assert.Equal(Refusal.Quiet, voter.Told<Message.Vote>(3)!.Refusal);
        voter.Hear(3, new Message.AskBallot(1, null));
        Assert.Equal(Refusal.Quiet, voter.Told<Message.Ballot>(3)!.Refusal);

        voter.Pass(0.2).SeeStandby(100).Hear(3, new Message.AskVote(new Term(2), Far)).Stopped(100);
        Assert.Null(voter.Told<Message.Vote>(3)!.Refusal);
    }

    [Fact]
    public void R1_who_is_not_a_member_is_not_heard_and_neither_is_one_who_lost_its_state_10()
    {
        var voter = new OneAgent();
        voter.Hear(new VoterId(new NodeId(9), 9), new Message.AskBallot(1, null)).Hear(new VoterId(new NodeId(1), 99), new Message.AskBallot(1, null));
        Assert.Empty(voter.Sent);
    }

    [Fact]
    public void R2_a_shorter_renewal_does_not_shorten_a_promise_8()
    {
        OneAgent voter = new OneAgent().SeeStandby(100).Renew(1, term: 1, ttl: 30).Renew(1, term: 1, ttl: 3, number: 2).Pass(20);
        voter.Hear(3, new Message.AskVote(new Term(2), Far));
        Assert.Equal(Refusal.Promised, voter.Told<Message.Vote>(3)!.Refusal);
    }

    [Fact]
    public void R2_an_acknowledgement_of_another_life_or_holder_or_term_counts_for_nothing_28()
    {
        OneAgent holder = Serving();
        Round round = holder.Told<Message.Renew>(3)!.Round;
        TimeSpan? before = Lease(holder);
        holder.Pass(0.6).Echo(1.5);
        Message.Renew renew = holder.Told<Message.Renew>(3)!;
        Assert.NotEqual(round, renew.Round);

        holder.Hear(3, new Message.Renewed(renew.Term, renew.Round with { Boot = 8 }, new NodeId(1)));
        holder.Hear(3, new Message.Renewed(renew.Term, renew.Round, new NodeId(2)));
        holder.Hear(3, new Message.Renewed(renew.Term.Next, renew.Round, new NodeId(1)));
        Assert.Equal(before, Lease(holder));
        holder.Hear(3, new Message.Renewed(renew.Term, renew.Round, new NodeId(1)));
        Assert.True(Lease(holder) > before);
    }
}

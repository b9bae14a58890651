using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Synchronous;
using static Repmgr.Tests.Failover.OneAgent;
using static Repmgr.Tests.Failover.Scenes;

namespace Repmgr.Tests.Failover.Rules;

/// <summary>The synchronous set (R9), and what it means for the holder's life (R3): one agent at a time. A number at the end is that of the scenario.</summary>
public sealed class CommitFenceTests
{
    [Fact]
    public void R9_what_is_in_force_is_remembered_only_after_a_commit_under_it_that_its_members_have_flushed_2()
    {
        OneAgent holder = SyncHolder(Remembered(Set(1, 2)), Set(2, 2, 3));
        Assert.Equal(new StampedSet(Stamp(1), Set(2, 2, 3)), Assert.IsType<AgentStep.SetSynchronous>(holder.Steps[^1]).Set);
        ServerView before = Sees(holder, 1, 2, 3);
        holder.Pass(0.1).Finish(new StepOutcome.Done()).See(before).Pass(0.05);
        Assert.Equal(Set(1, 2), holder.State.Durable.Set!.Set);

        // A commit that was acknowledged, as it is where the new value is not read yet, is not enough either.
        holder.See(Sees(holder, 1, 3));
        Assert.Equal(Set(1, 2), holder.State.Durable.Set!.Set);
        holder.See(Sees(holder, 1, 2, 3));
        Assert.Equal((Set(2, 2, 3), 2), (holder.State.Durable.Set!.Set, holder.State.Durable.Set.Change));
    }

    [Fact]
    public void R9_an_agent_that_was_started_again_first_sees_that_a_majority_remembers_what_is_on_its_disk_4()
    {
        OneAgent holder = new OneAgent(node: 1, disk: durable => durable with { Set = Remembered(Set(1, 2)), InForce = new StampedSet(Stamp(1), Set(1, 2)) })
            .See(new ServerView.Writable(At(500)) { Identity = 1 }).Echo(1.9).Pass(0.3);
        Assert.Empty(holder.Steps);
        Assert.IsType<AgentStep.SetSynchronous>(Assert.Single(holder.AcknowledgedBy(3).Steps));
    }

    [Fact]
    public void R9_a_member_is_added_in_PostgreSQL_first_and_dropped_in_memory_first()
    {
        OneAgent holder = SyncHolder(Remembered(Set(1, 2)) with { Wanted = 2 }, Set(1, 2)).Finish(new StepOutcome.Done());
        holder.See(Sees(holder, 1, 2, 3));
        var put = Assert.IsType<AgentStep.SetSynchronous>(holder.Steps[^1]);
        Assert.Equal(new StampedSet(Stamp(2), Set(2, 2, 3)), put.Set);
        Assert.Equal(Set(1, 2), holder.State.Durable.Set!.Set);

        OneAgent shrinking = SyncHolder(Remembered(Set(2, 2, 3)), Set(2, 2, 3)).Finish(new StepOutcome.Done());
        int steps = shrinking.Steps.Count;
        for (int look = 0; look < 17; look++)
            shrinking.See(Sees(shrinking, 1, 3)).Pass(0.2).Echo(1.9).AcknowledgedBy(3);
        Assert.Equal(Set(1, 3), shrinking.State.Durable.Set!.Set);
        Assert.True(shrinking.Written.FindIndex(durable => durable.Set!.Set.Count == 1) < shrinking.Written.FindIndex(durable => durable.InForce!.Set.Count == 1));
        Assert.Equal(steps + 1, shrinking.Steps.Count);
    }

    [Fact]
    public void R9_a_member_that_is_called_streaming_and_neither_keeps_up_nor_gets_on_is_dropped()
    {
        ServerView.Writable Looks(OneAgent holder, ulong ofTwo) => Sees(holder, 1) with
        {
            Senders = [new Sender(Member(2).Node, Stamp(1), At(ofTwo)), new Sender(Member(3).Node, Stamp(1), At(600))],
        };
        OneAgent stuck = SyncHolder(Remembered(Set(2, 2, 3)), Set(2, 2, 3)).Finish(new StepOutcome.Done());
        OneAgent slow = SyncHolder(Remembered(Set(2, 2, 3)), Set(2, 2, 3)).Finish(new StepOutcome.Done());
        for (ulong look = 0; look < 20; look++)
        {
            stuck.See(Looks(stuck, 550)).Pass(0.2).Echo(1.9).AcknowledgedBy(3);
            slow.See(Looks(slow, 550 + look)).Pass(0.2).Echo(1.9).AcknowledgedBy(3);
        }

        Assert.Equal(Set(1, 3), stuck.State.Durable.Set!.Set);
        Assert.Equal(Set(2, 2, 3), slow.State.Durable.Set!.Set);
    }

    [Fact]
    public void R9_no_member_is_dropped_while_the_server_shows_nobody_because_it_hangs()
    {
        OneAgent holder = SyncHolder(Remembered(Set(2, 2, 3)), Set(2, 2, 3)).Finish(new StepOutcome.Done());
        holder.See(Sees(holder, 1, 2, 3));
        for (int turn = 0; turn < 30; turn++)
            holder.Pass(0.2).Echo(1.9).AcknowledgedBy(3);
        Assert.Equal(Set(2, 2, 3), holder.State.Durable.Set!.Set);

        // It comes back without them, and is looked at for long enough.
        for (int look = 0; look < 20; look++)
            holder.See(Sees(holder, 1)).Pass(0.2).Echo(1.9).AcknowledgedBy(3);
        Assert.NotEqual(Set(2, 2, 3), holder.State.Durable.Set!.Set);
    }

    [Fact]
    public void R16_a_set_that_somebody_else_has_changed_is_put_in_force_again_and_what_was_seen_before_it_was_set_says_nothing()
    {
        OneAgent holder = SyncHolder(Remembered(Set(1, 2)), Set(1, 2)).Finish(new StepOutcome.Done());
        int steps = holder.Steps.Count;
        string names = holder.State.Durable.InForce!.Names;
        holder.See(Sees(holder, 1, 2) with { Effective = new EffectiveNames(holder.Now - TimeSpan.FromSeconds(1), "") });
        holder.Pass(0.1).See(Sees(holder, 1, 2) with { Effective = new EffectiveNames(holder.Now, names) });
        Assert.Equal(steps, holder.Steps.Count);
        holder.See(Sees(holder, 1, 2) with { Effective = new EffectiveNames(holder.Now, "") }).Pass(0.05);
        Assert.Equal(new StampedSet(Stamp(1), Set(1, 2)), Assert.IsType<AgentStep.SetSynchronous>(holder.Steps[^1]).Set);
        Assert.Equal(steps + 1, holder.Steps.Count);
    }

    [Fact]
    public void The_name_of_a_member_is_read_back_and_no_other_is_taken_for_one()
    {
        Assert.Equal((new NodeId(12), new SyncStamp(new Term(7), 3)), StampedSet.Read(StampedSet.NameOf(new NodeId(12), new SyncStamp(new Term(7), 3))));
        Assert.All(["node12", "node12@7", "node@7.3", "nobody@7.3", "node12@7.3.1", "node12@7.x", "", null], (string? name) => Assert.Null(StampedSet.Read(name)));
    }

    [Fact]
    public void A_standby_is_recognised_under_the_name_of_a_member_whatever_its_node_is_called()
    {
        var berlin = new NodeRecord(new NodeId(2), new NodeId(1), Active: true, "berlin", NodeType.Standby, "default", 100, "", "repmgr", null, "");
        Assert.All(["berlin", "node2@3.1"], name => Assert.True(Streams(name).IsOf(berlin)));
        Assert.All(["node3@3.1", "node2", "node2@3"], name => Assert.False(Streams(name).IsOf(berlin)));

        static WalSenderFacts Streams(string name) => new(name, "streaming", null, null, null, null, "quorum");
    }

    [Fact]
    public void R9_strict_does_not_shrink_and_writes_wait_for_nobody_27()
    {
        OneAgent holder = SyncHolder(Remembered(Set(2, 2, 3), SyncMode.Strict), Set(2, 2, 3)).Finish(new StepOutcome.Done());
        for (int look = 0; look < 40; look++)
            holder.See(Sees(holder, 1, 3)).Pass(0.2).Echo(1.9).AcknowledgedBy(3);
        Assert.Equal(Set(2, 2, 3), holder.State.Durable.Set!.Set);

        // The data of the other are to be overwritten: it goes, and the count stays.
        holder.AcknowledgedBy(2, isLeaving: true);
        for (int look = 0; look < 10; look++)
        {
            if (holder.State.Doing is not null)
                holder.Finish(new StepOutcome.Done());
            holder.See(Sees(holder, holder.State.Durable.InForce!.Stamp.Change, 3)).Pass(0.2).Echo(1.9).AcknowledgedBy(3);
        }

        SyncSet without = SyncSet.Of([Member(3), SyncMember.Nobody(1)], 2);
        Assert.Equal((without, without), (holder.State.Durable.Set!.Set, holder.State.Durable.InForce!.Set));
        Assert.StartsWith("ANY 2 (\"nobody@1.", holder.State.Durable.InForce.Names, StringComparison.Ordinal);
    }

    [Fact]
    public void R9_a_winner_remembers_what_it_inherits_with_itself_as_holder_and_sets_PostgreSQL_before_it_is_promoted_3()
    {
        OneAgent winner = SyncCandidate(Remembered(Set(1, 2, 3))).Hear(3, VoteOf(3, Remembered(Set(1, 2, 3))));
        Assert.IsType<AgentStep.SetSynchronous>(winner.Steps[^1]);
        winner.Echo(null);
        Message.Renew renew = winner.Told<Message.Renew>(3)!;
        Assert.Equal(Remembered(Set(1, 2, 3)) with { Term = new Term(2), Holder = Member(2) }, renew.Set);
        Assert.Equal(Set(1, 3), renew.InForce!.Set);

        winner.AcknowledgedBy(3).Echo(2);
        Assert.DoesNotContain(winner.Steps, step => step is AgentStep.Promote);
        Assert.IsType<AgentStep.Promote>(winner.Finish(new StepOutcome.Done()).Steps[^1]);
        Assert.Equal(Set(1, 2, 3), winner.State.Durable.Set!.Set);
    }

    [Fact]
    public void R9_votes_are_counted_by_the_newest_set_among_them_4()
    {
        RememberedSet newer = Remembered(Set(1, 3, 4), change: 2);
        Assert.IsType<Role.Standing>(SyncCandidate(Remembered(Set(1, 2))).Hear(3, VoteOf(3, newer)).State.Role);
        Assert.IsType<Role.Holding>(SyncCandidate(Remembered(Set(1, 2))).Hear(3, VoteOf(3, Remembered(Set(1, 2)))).State.Role);
    }

    [Fact]
    public void R9_a_standby_that_is_no_member_votes_and_does_not_count_32()
    {
        RememberedSet set = Remembered(Set(1, 1, 4), holder: 5);
        Assert.Contains("NoQuorum", new OneAgent(disk: durable => durable with { Set = set })
            .See(new ServerView.Recovering(At(1000), null, 0) { Identity = 2 }).Pass(0.05).HearBallots(3).Pass(0.5).Edges);
    }

    [Fact]
    public void R9_a_member_whose_data_were_replaced_does_not_count_5()
    {
        RememberedSet set = Remembered(Set(1, 2, 3));
        Assert.IsType<Role.Standing>(SyncCandidate(set).Hear(3, VoteOf(3, set, data: 99)).State.Role);
        Assert.IsType<Role.Holding>(SyncCandidate(set).Hear(3, VoteOf(3, set)).State.Role);
    }

    [Fact]
    public void R9_the_answer_of_the_sets_holder_is_worth_the_whole_set_and_with_an_empty_one_nothing_else_is_20()
    {
        RememberedSet empty = Remembered(SyncSet.Empty);
        Assert.Contains("NoQuorum", new OneAgent(disk: durable => durable with { Set = empty })
            .See(new ServerView.Recovering(At(1000), null, 0) { Identity = 2 }).Pass(0.05).HearBallots(3).Pass(0.5).Edges);
        RememberedSet ofThree = Remembered(SyncSet.Empty, holder: 3);
        Assert.IsType<Role.Holding>(SyncCandidate(ofThree).Hear(3, VoteOf(3, ofThree)).State.Role);
    }

    [Fact]
    public void R3_without_a_majority_a_holder_goes_on_while_its_own_commits_are_acknowledged_and_no_longer_25()
    {
        OneAgent holder = SyncHolder(Remembered(Set(1, 2)), Set(1, 2)).Finish(new StepOutcome.Done());
        for (int look = 0; look < 40; look++)
            holder.See(Sees(holder, 1, 2)).Pass(0.25).Echo(1.9);
        Assert.IsType<Role.Holding>(holder.State.Role);
        for (int look = 0; look < 12; look++)
            holder.Pass(0.25).Echo(1.9);
        Assert.Single(holder.Steps.OfType<AgentStep.Fence>());
    }

    [Fact]
    public void R3_without_a_synchronous_mode_commits_keep_nobody_alive()
    {
        OneAgent holder = SyncHolder(Remembered(SyncSet.Empty, SyncMode.Off), SyncSet.Empty).Finish(new StepOutcome.Done());
        for (int look = 0; look < 12; look++)
            holder.See(Sees(holder, 1, 2)).Pass(0.25).Echo(1.9);
        Assert.Single(holder.Steps.OfType<AgentStep.Fence>());
    }

    [Fact]
    public void R11_in_a_synchronous_mode_a_holder_that_resigned_never_votes_for_who_is_behind_21()
    {
        OneAgent old = new OneAgent(node: 1, policy: new AgentPolicy { WalRescueTimeout = TimeSpan.FromSeconds(4) }, disk: durable => durable with { Set = Remembered(Set(1, 2)) })
            .See(new ServerView.Down(At(2000))).Stopped(2000).Jump(60);
        old.Hear(2, new Message.AskVote(new Term(2), Far));
        Assert.Equal(Refusal.IsAhead, old.Told<Message.Vote>(2)!.Refusal);
    }

    [Fact]
    public void R9_a_mode_is_chosen_at_the_holder_and_a_set_grows_from_an_empty_one()
    {
        OneAgent holder = new OneAgent(node: 1).See(new ServerView.Writable(At(500)) { Identity = 1 }).Echo(1.9).Pass(0.05).Ask(new Request.SetSynchronous(SyncMode.Quorum, 1));
        Assert.Empty(holder.Steps);
        holder.Pass(0.1).AcknowledgedBy(3);
        Assert.Equal(SyncSet.Empty, Assert.IsType<AgentStep.SetSynchronous>(Assert.Single(holder.Steps)).Set.Set);
        holder.Finish(new StepOutcome.Done()).See(Sees(holder, 1, 3));
        Assert.Equal(Set(1, 3), Assert.IsType<AgentStep.SetSynchronous>(holder.Steps[^1]).Set.Set);

        // Another change waits until a majority remembers the last one.
        OneAgent twice = new OneAgent(node: 1).See(new ServerView.Writable(At(500)) { Identity = 1 }).Echo(1.9).Pass(0.05)
            .Ask(new Request.SetSynchronous(SyncMode.Quorum, 1)).Ask(new Request.SetSynchronous(SyncMode.Off, 1));
        Assert.NotNull(twice.Replies[^1].Refusal);
        Assert.True(twice.Replies[^1].IsPassing);
    }

    [Fact]
    public void R16_a_set_that_somebody_else_changed_is_shown_and_put_in_force_again_35()
    {
        OneAgent holder = SyncHolder(Remembered(Set(1, 2, 3)), Set(1, 2, 3)).Pass(0.1);
        holder.Finish(new StepOutcome.Done());
        int before = holder.Steps.Count;
        holder.See(Sees(holder, 1, 2, 3) with { Effective = new EffectiveNames(holder.Now, "ANY 1 (\"somebody\")") });
        Assert.Contains(holder.State.Decisions, decision => decision is { Name: "SetChangedByOthers", Rule: "R16" });
        Assert.Equal(Set(1, 2, 3), Assert.IsType<AgentStep.SetSynchronous>(Assert.Single(holder.Steps.Skip(before))).Set.Set);
    }

    [Fact]
    public void R9_strict_with_more_standbys_than_there_are_is_refused()
    {
        OneAgent holder = new OneAgent(node: 1).See(new ServerView.Writable(At(500)) { Identity = 1 }).Echo(1.9).Pass(0.05).Ask(new Request.SetSynchronous(SyncMode.Strict, 3));
        Assert.Contains("there are 2", holder.Replies[^1].Refusal, StringComparison.Ordinal);
        Assert.Null(holder.Ask(new Request.SetSynchronous(SyncMode.Strict, 2)).Replies[^1].Refusal);
    }

    [Fact]
    public void R12_the_data_of_a_member_are_overwritten_only_when_a_majority_remembers_a_set_without_it_5()
    {
        TermHistory fork = First.PromotedAt(At(1500), new Term(2));
        OneAgent old = new OneAgent(node: 1).See(new ServerView.Down(At(2000)) { Identity = 1 }).Stopped(2000);
        var renew = new Message.Renew(new Term(2), new Round(9, 1), TimeSpan.FromSeconds(3), old.State.Durable.Membership, fork, At(1500), "default", true)
        {
            Set = Remembered(Set(1, 1, 3), holder: 2) with { Term = new Term(2) },
            IsSetConfirmed = true,
        };
        old.Hear(2, renew).Pass(0.7).Hear(2, renew with { Round = new Round(9, 2) });
        Assert.True(old.Told<Message.Renewed>(2)!.IsLeaving);
        RememberedSet without = Remembered(Set(1, 3), change: 2, holder: 2) with { Term = new Term(2) };
        old.Hear(2, renew with { Round = new Round(9, 3), Set = without, IsSetConfirmed = false }).Pass(0.7);
        Assert.DoesNotContain(old.Steps, step => step is AgentStep.Rebuild);
        old.Hear(2, renew with { Round = new Round(9, 4), Set = without }).Pass(0.7);
        Assert.IsType<AgentStep.Rebuild>(old.Steps[^1]);
    }

    [Fact]
    public void R9_a_standby_takes_the_name_that_counts_only_with_the_data_that_the_set_names()
    {
        OneAgent standby = new OneAgent().See(new ServerView.Recovering(At(100), new NodeId(1), 0) { Identity = 2 });
        Message.Renew renew = standby.Renew(1, term: 1).LastRenew! with { InForce = new StampedSet(Stamp(4), Set(1, 2)) };
        standby.Hear(1, renew).Pass(0.1);
        Assert.Equal(new AgentStep.Follow(new Term(1), new NodeId(1)) { Stamp = Stamp(4) }, Assert.Single(standby.Steps));

        OneAgent other = new OneAgent().See(new ServerView.Recovering(At(100), new NodeId(1), 0) { Identity = 99 }).Hear(1, renew).Pass(0.1);
        Assert.Empty(other.Steps);
    }
}

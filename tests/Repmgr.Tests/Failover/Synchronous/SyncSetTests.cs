using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Synchronous;

namespace Repmgr.Tests.Failover.Synchronous;

/// <summary>Every small world of R9: up to four data nodes, of which node 1 is the holder.</summary>
public sealed class SyncSetTests
{
    private static readonly NodeId Holder = new(1);
    private static readonly SyncMember[] All = [.. Enumerable.Range(1, 4).Select(Member)];

    [Fact]
    public void The_inequality_holds_exactly_where_no_election_can_miss_an_acknowledged_commit()
    {
        foreach (SyncSet inForce in Sets(1))
        {
            foreach (SyncSet remembered in Sets(0))
            {
                bool isSafe = remembered.Count == 0 || Acknowledging(inForce).All(have => Electing(remembered).All(have.Overlaps));
                Assert.True(SyncRules.Covers(inForce, remembered, Holder) == isSafe, $"{Say(inForce)} in force, {Say(remembered)} remembered");
            }
        }
    }

    [Fact]
    public void From_every_set_every_other_is_reached_and_what_is_in_force_covers_what_is_remembered_at_every_instant()
    {
        foreach (SyncSet from in Sets(1))
        {
            foreach (SyncSet to in Sets(1))
                Walk(from, from, to);
        }
    }

    [Fact]
    public void Interrupted_anywhere_a_change_goes_on_from_what_is_in_force()
    {
        // Every pair that is covered: where a restart, a promotion or a lost answer can have left the two.
        foreach (SyncSet inForce in Sets(1))
        {
            foreach (SyncSet remembered in Sets(1).Where(remembered => SyncRules.Covers(inForce, remembered, Holder)))
            {
                foreach (SyncSet to in Sets(1))
                    Walk(remembered, inForce, to);
            }
        }
    }

    [Fact]
    public void Remembering_while_another_set_is_in_force_or_the_reverse_is_noticed_by_these_tests()
    {
        // The order reversed: loosened in PostgreSQL first, tightened in memory first. It must break somewhere, or the walk proves nothing.
        var pairs = from present in Sets(1)
                    from next in Sets(1)
                    where !present.Equals(next)
                    select (present, next, step: SetChange.Next(present, present, null, next, Holder));
        Assert.Contains(pairs, pair => pair.step is SetStep.PutInForce put && !SyncRules.Covers(pair.present, put.Set, Holder));
        Assert.Contains(pairs, pair => pair.step is SetStep.RememberFirst first && !SyncRules.Covers(first.Set, pair.present, Holder));
    }

    [Fact]
    public void What_a_winner_sets_first_covers_what_it_inherited()
    {
        foreach (SyncSet inherited in Sets(0))
        {
            foreach (SyncMember winner in All)
            {
                foreach (SyncMember[] others in Subsets([.. All.Where(member => member != winner)]))
                {
                    SyncSet first = SyncRules.First(inherited, winner, others);
                    Assert.False(first.Contains(winner.Node));
                    Assert.True(SyncRules.Covers(first, inherited, winner.Node), $"{Say(inherited)} inherited by {winner.Node}: {Say(first)}");
                }
            }
        }
    }

    [Fact]
    public void An_election_needs_all_but_one_less_than_the_count_each_with_its_data_or_the_holder_4_5_20()
    {
        var set = new RememberedSet(new Term(3), 2, SyncSet.Of([All[1], All[2], All[3]], 2), All[0]);
        Assert.False(SyncRules.MayElect(set, [All[1]]));
        Assert.True(SyncRules.MayElect(set, [All[1], All[3]]));
        Assert.False(SyncRules.MayElect(set, [All[1], All[3] with { Data = 99 }]));
        Assert.True(SyncRules.MayElect(set, [All[0]]));
        Assert.False(SyncRules.MayElect(set, [All[0] with { Data = 99 }]));
    }

    [Fact]
    public void By_an_empty_set_only_its_holder_can_be_elected_20()
    {
        var set = new RememberedSet(new Term(3), 2, SyncSet.Empty, All[0]);
        Assert.False(SyncRules.MayElect(set, [All[1], All[2], All[3]]));
        Assert.True(SyncRules.MayElect(set, [All[0]]));
    }

    [Fact]
    public void Quorum_shrinks_with_what_streams_and_strict_waits()
    {
        SyncSet present = SyncSet.Of([All[1], All[2]], 2);
        Assert.Equal(SyncSet.Of([All[1]], 1), SyncRules.Wanted(present, [All[1]], 2, isStrict: false));
        Assert.Equal(SyncSet.Empty, SyncRules.Wanted(present, [], 2, isStrict: false));
        Assert.Equal(present, SyncRules.Wanted(present, [All[1]], 2, isStrict: true));
        Assert.Equal(SyncSet.Of([All[1], All[3]], 2), SyncRules.Wanted(present, [All[1], All[3]], 2, isStrict: true));
    }

    [Fact]
    public void Names_carry_term_and_change() =>
        Assert.Equal("ANY 1 (\"node2@7.3\", \"node3@7.3\")", SyncSet.Of([All[2], All[1]], 1).Names(node => $"node{node}", new Term(7), 3));

    private static void Walk(SyncSet remembered, SyncSet inForce, SyncSet wanted)
    {
        SyncSet? loosened = null;
        string tale = $"from {Say(inForce)} in force, {Say(remembered)} remembered, to {Say(wanted)}";
        for (int steps = 0; steps < 12; steps++)
        {
            Assert.True(SyncRules.Covers(inForce, remembered, Holder), tale);
            switch (SetChange.Next(remembered, inForce, loosened, wanted, Holder))
            {
                case SetStep.Rest:
                    Assert.True(inForce.Equals(wanted) && remembered.Equals(wanted), tale);
                    return;
                case SetStep.PutInForce put:
                    // Until it is effective both are in force.
                    inForce = put.Set;
                    loosened = null;
                    break;
                case SetStep.RememberInForce remember:
                    // The commit before it makes what was acknowledged before count as acknowledged under the set in force.
                    Assert.Equal(inForce, remember.Set);
                    remembered = remember.Set;
                    break;
                case SetStep.RememberFirst first:
                    // Until a majority is seen to remember it, an election may count by either.
                    remembered = first.Set;
                    loosened = first.Set;
                    break;
            }
        }

        Assert.Fail($"does not end: {tale}");
    }

    /// <summary>Who has a commit, at least, when it is acknowledged.</summary>
    private static IEnumerable<HashSet<NodeId>> Acknowledging(SyncSet set) =>
        Subsets([.. set.Members]).Where(some => some.Length >= set.Count).Select(some => some.Select(member => member.Node).Append(Holder).ToHashSet());

    /// <summary>Whose answers are enough to elect by the set.</summary>
    private static IEnumerable<NodeId[]> Electing(SyncSet set) =>
        Subsets([.. set.Members]).Where(some => some.Length >= set.Members.Length - set.Count + 1).Select(some => some.Select(member => member.Node).ToArray());

    /// <summary>Every set of the nodes after the first ones, with every count that it can have.</summary>
    private static IEnumerable<SyncSet> Sets(int skip) =>
        from members in Subsets(All[skip..])
        from count in Enumerable.Range(members.Length == 0 ? 0 : 1, Math.Max(members.Length, 1))
        select SyncSet.Of(members, count);

    private static IEnumerable<SyncMember[]> Subsets(SyncMember[] members) =>
        Enumerable.Range(0, 1 << members.Length).Select(bits => members.Where((_, index) => (bits & (1 << index)) != 0).ToArray());

    private static SyncMember Member(int node) => new(new NodeId(node), (ulong)node);

    private static string Say(SyncSet set) => $"{set.Count} of [{string.Join(' ', set.Members.Select(member => member.Node))}]";
}

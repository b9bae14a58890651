using Repmgr.Core.Checks;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Tests.Postgres;

public class AncestryCheckTests
{
    private static TimelineHistory History(int timeline, params (int Timeline, ulong SwitchPoint)[] ancestors) =>
        new(timeline, [.. ancestors.Select(a => new TimelineHistory.Ancestor(a.Timeline, new Lsn(a.SwitchPoint)))]);

    private static CopyEnd Copy(int timeline, ulong replayed, ulong? received = null, bool rests = true, TimelineHistory? history = null, ulong system = 7) =>
        new(system, timeline, new Lsn(replayed), new Lsn(received ?? replayed), rests, history);

    private static SourceEnd Primary(TimelineHistory history, ulong end) => new(7, history.Timeline, new Lsn(end), history, Grows: true, IsPrimary: true);

    private static SourceEnd Standby(TimelineHistory history, ulong end, bool grows) => new(7, history.Timeline, new Lsn(end), history, grows, IsPrimary: false);

    private static Problem? Why(CopyEnd copy, SourceEnd source) => AncestryCheck.WhyNotFollow("node3", copy, "node2", source);

    [Fact]
    public void A_standby_behind_on_the_same_timeline_follows() => Assert.Null(Why(Copy(1, 90), Primary(TimelineHistory.First, 100)));

    [Fact]
    public void A_foreign_cluster_is_refused() => Assert.Contains("different clusters", Why(Copy(1, 90, system: 8), Primary(TimelineHistory.First, 100))!.Message);

    [Fact]
    public void A_standby_ahead_of_a_primary_on_the_same_timeline_has_diverged() =>
        Assert.Contains("diverge", Why(Copy(1, 101), Primary(TimelineHistory.First, 100))!.Message);

    [Fact]
    public void A_cascading_upstream_that_lags_but_receives_is_followed_and_one_that_does_not_is_refused()
    {
        Assert.Null(Why(Copy(1, 101), Standby(TimelineHistory.First, 100, grows: true)));
        Assert.Contains("ahead of", Why(Copy(1, 101), Standby(TimelineHistory.First, 100, grows: false))!.Message);
    }

    [Fact]
    public void Up_to_the_fork_is_fine_and_one_byte_past_it_is_not()
    {
        Assert.Null(Why(Copy(1, 100), Primary(History(2, (1, 100)), 200)));
        Problem problem = Why(Copy(1, 101), Primary(History(2, (1, 100)), 200))!;
        Assert.Contains("diverge", problem.Message);
        Assert.Contains("1 bytes past", problem.Detail);
    }

    [Fact]
    public void Half_a_record_past_the_fork_is_ordinary_and_whole_ones_left_to_replay_are_not()
    {
        Assert.Null(Why(Copy(1, 100, received: 120), Primary(History(2, (1, 100)), 200)));
        Assert.Contains("WAL to replay", Why(Copy(1, 90, received: 120, rests: false), Primary(History(2, (1, 100)), 200))!.Message);
        Assert.Null(Why(Copy(1, 90, received: 100, rests: false), Primary(History(2, (1, 100)), 200)));
    }

    [Fact]
    public void Every_ancestor_counts_and_not_only_the_newest()
    {
        // 5.x reads the history of local + 1 alone: 1 was left for 2 at 100, but the way to 4 left it at 50.
        Assert.NotNull(Why(Copy(1, 80), Primary(History(4, (1, 50), (3, 90)), 200)));
        Assert.Null(Why(Copy(1, 50), Primary(History(4, (1, 50), (3, 90)), 200)));
        Assert.NotNull(Why(Copy(2, 60), Primary(History(4, (1, 50), (3, 90)), 200))); // Timeline 2 is no ancestor of 4.
        Assert.Null(Why(Copy(3, 90), Primary(History(4, (1, 50), (3, 90)), 200)));
    }

    [Fact]
    public void A_newer_timeline_than_the_upstream_is_refused() =>
        Assert.Contains("diverge", Why(Copy(2, 60, history: History(2, (1, 50))), Primary(TimelineHistory.First, 200))!.Message);

    [Fact]
    public void Two_nodes_promoted_apart_to_the_same_number_are_told_apart() =>
        Assert.Contains("promoted apart", Why(Copy(2, 60, history: History(2, (1, 50))), Primary(History(2, (1, 55)), 200))!.Detail);

    /// <summary>
    /// All small worlds: a tree of timelines, each byte of WAL named by the timeline that wrote it. A copy may follow exactly if
    /// its bytes are a prefix of the source's.
    /// </summary>
    [Fact]
    public void Agrees_with_the_WAL_itself_in_every_small_world()
    {
        int worlds = 0;
        foreach (TimelineHistory source in Histories(length: 4, timelines: 4))
        {
            const int sourceEnd = 4;
            foreach (TimelineHistory own in Histories(length: 4, timelines: 4))
            {
                for (int replayed = (int)(own.Ancestors.Count == 0 ? 0 : own.Ancestors[^1].SwitchPoint.Bytes); replayed <= 5; replayed++)
                {
                    // In one world a number belongs to one promotion: histories that share a timeline share its origin.
                    if (!OfOneFamily(own, source))
                        continue;

                    worlds++;
                    bool prefix = replayed <= sourceEnd && Wal(own, replayed).SequenceEqual(Wal(source, sourceEnd).Take(replayed));
                    bool reachable = own.Timeline == source.Timeline || source.Ancestors.Any(a => a.Timeline == own.Timeline);
                    Assert.Equal(prefix && reachable, Why(Copy(own.Timeline, (ulong)replayed, history: own), Primary(source, sourceEnd)) is null);
                }
            }
        }

        Assert.True(worlds > 1000, $"{worlds} worlds");
    }

    // Byte i was written by the first timeline on the way that had not been left by then.
    private static IEnumerable<int> Wal(TimelineHistory history, int end)
    {
        for (int position = 0; position < end; position++)
        {
            int byTimeline = history.Timeline;
            foreach (TimelineHistory.Ancestor ancestor in history.Ancestors.Reverse())
            {
                if ((ulong)position < ancestor.SwitchPoint.Bytes)
                    byTimeline = ancestor.Timeline;
            }

            yield return byTimeline;
        }
    }

    private static bool OfOneFamily(TimelineHistory one, TimelineHistory other)
    {
        foreach (int timeline in Enumerable.Range(2, 3))
        {
            if (Origin(one, timeline) is { } mine && Origin(other, timeline) is { } theirs && mine != theirs)
                return false;
        }

        return true;

        static TimelineHistory.Ancestor? Origin(TimelineHistory history, int timeline)
        {
            int index = timeline == history.Timeline ? history.Ancestors.Count : history.Ancestors.ToList().FindIndex(a => a.Timeline == timeline);
            return index < 1 ? null : history.Ancestors[index - 1];
        }
    }

    private static IEnumerable<TimelineHistory> Histories(int length, int timelines)
    {
        yield return TimelineHistory.First;
        for (int timeline = 2; timeline <= timelines; timeline++)
        {
            foreach (TimelineHistory parent in Histories(length, timeline - 1))
            {
                ulong from = parent.Ancestors.Count == 0 ? 0 : parent.Ancestors[^1].SwitchPoint.Bytes;
                for (ulong at = from; at <= (ulong)length; at++)
                    yield return new TimelineHistory(timeline, [.. parent.Ancestors, new(parent.Timeline, new Lsn(at))]);
            }
        }
    }
}

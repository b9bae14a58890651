using CsCheck;
using Repmgr.Core.Postgres;

namespace Repmgr.Tests.Postgres;

public class TimelineHistoryTests
{
    private static TimelineHistory History(int timeline, params (int Timeline, ulong SwitchPoint)[] ancestors) =>
        new(timeline, [.. ancestors.Select(a => new TimelineHistory.Ancestor(a.Timeline, new Lsn(a.SwitchPoint)))]);

    [Fact]
    public void Reads_a_history_file()
    {
        Assert.True(TimelineHistory.TryParse(
            3, "# comment\n1\t0/5000060\tno recovery target specified\n\n2\t0/70000A0\tbefore 2026-11-24 05:45:15+00\n", out TimelineHistory history));
        Assert.Equal([new(1, new Lsn(0x5000060)), new TimelineHistory.Ancestor(2, new Lsn(0x70000A0))], history.Ancestors);
    }

    [Theory]
    [InlineData("x\t0/5000060\treason")]
    [InlineData("1")]
    [InlineData("1\t5000060")]
    [InlineData("3\t0/5000060")] // Its own ancestor.
    [InlineData("2\t0/5000060\n1\t0/6000060")] // Falling.
    [InlineData("0\t0/5000060")]
    public void Refuses_what_the_server_would_refuse(string content) => Assert.False(TimelineHistory.TryParse(3, content, out _));

    [Fact]
    public void An_ancestor_is_shared_up_to_its_switch_point_and_a_stranger_not_at_all()
    {
        TimelineHistory history = History(4, (1, 100), (3, 200));
        Assert.Equal(new Lsn(100), history.SharedUpTo(1));
        Assert.Null(history.SharedUpTo(2)); // A promotion that came to nothing: not on the way to 4.
        Assert.Equal(new Lsn(200), history.SharedUpTo(3));
        Assert.Equal(new Lsn(ulong.MaxValue), history.SharedUpTo(4));
        Assert.Null(history.SharedUpTo(5));
    }

    [Fact]
    public void A_later_ancestor_that_was_left_earlier_cuts_the_earlier_ones() =>
        Assert.Equal(new Lsn(80), History(3, (1, 100), (2, 80)).SharedUpTo(1));

    [Fact]
    public void Two_timelines_with_one_number_are_told_apart_by_where_they_began()
    {
        Assert.Null(History(2, (1, 100)).FirstDifference(History(2, (1, 100))));
        Assert.Null(History(2, (1, 100)).FirstDifference(History(3, (1, 100), (2, 200))));
        Assert.NotNull(History(2, (1, 100)).FirstDifference(History(2, (1, 101))));
        Assert.NotNull(History(3, (1, 100), (2, 200)).FirstDifference(History(4, (1, 100), (3, 200))));
    }

    // Each promotion leaves the newest timeline, or an older one (its descendants are then no ancestors of the new one).
    private static readonly Gen<TimelineHistory[]> Family =
        Gen.Select(Gen.Int[0, 10], Gen.Int[1, 1000]).Array[1, 8].Select(promotions =>
        {
            List<TimelineHistory> family = [TimelineHistory.First];
            ulong position = 1;
            foreach ((int back, int written) in promotions)
            {
                position += (ulong)written;
                TimelineHistory parent = family[Math.Max(0, family.Count - 1 - (back > 6 ? back - 6 : 0))];
                family.Add(new TimelineHistory(family.Count + 1, [.. parent.Ancestors, new(parent.Timeline, new Lsn(position))]));
            }

            return family.ToArray();
        });

    [Fact]
    public void Survives_being_written_and_read() => Family.Sample(family =>
    {
        foreach (TimelineHistory history in family)
        {
            string file = string.Concat(history.Ancestors.Select(a => $"{a.Timeline}\t{a.SwitchPoint}\tno recovery target specified\n"));
            Assert.True(TimelineHistory.TryParse(history.Timeline, file, out TimelineHistory read));
            Assert.Equal(history.Ancestors, read.Ancestors);
        }
    });

    [Fact]
    public void Every_member_of_a_family_shares_exactly_what_its_ancestors_wrote_before_it_left_them() => Family.Sample(family =>
    {
        foreach (TimelineHistory one in family)
        {
            foreach (TimelineHistory other in family)
            {
                bool descends = one == other || other.Ancestors.Any(a => a.Timeline == one.Timeline);
                Assert.Equal(descends, other.SharedUpTo(one.Timeline) is not null);
                if (descends)
                    Assert.Null(one.FirstDifference(other));
            }
        }
    });
}

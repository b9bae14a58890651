using Repmgr.Core.Failover;
using Repmgr.Core.Postgres;

namespace Repmgr.Tests.Failover;

public sealed class TermHistoryTests
{
    private static readonly TermHistory First = OneAgent.First;

    [Fact]
    public void The_data_term_is_that_of_the_last_byte_not_of_the_last_line_that_is_known()
    {
        TermHistory history = First.PromotedAt(new Lsn(100), new Term(4));
        Assert.Equal(new Term(1), history.At(new Lsn(100)).Term);
        Assert.Equal(new Term(4), history.At(new Lsn(101)).Term);
    }

    [Fact]
    public void A_winner_whose_data_end_before_a_line_that_it_knows_makes_no_use_of_that_line()
    {
        TermHistory known = First.PromotedAt(new Lsn(100), new Term(2));
        TermHistory made = known.PromotedAt(new Lsn(90), new Term(3));
        Assert.Equal([1, 3], made.Lines.Select(line => line.Term.Number));
    }

    [Fact]
    public void A_holder_that_goes_on_in_a_new_term_leaves_nobody_behind()
    {
        TermHistory goesOn = First.ContinuedAt(new Lsn(100), new Term(3));
        // A standby that has not heard of the new term has what the holder wrote meanwhile: it has not diverged, and is ahead by position alone.
        Assert.False(First.Diverges(new Lsn(120), goesOn));
        Assert.False(goesOn.Diverges(new Lsn(120), First));
        Assert.True(First.At(new Lsn(120)) > goesOn.At(new Lsn(110)));
        Assert.True(First.PromotedAt(new Lsn(90), new Term(2)).At(new Lsn(91)) > goesOn.At(new Lsn(500)));
    }

    [Fact]
    public void Of_two_histories_each_lies_beyond_the_other_only_from_where_they_part()
    {
        // Every pair of histories of up to three promotions at positions 1 to 3, against what their WAL would be byte for byte.
        TermHistory[] all = [.. Histories(First, 2)];
        foreach (TermHistory left in all)
        {
            // A term is promoted once, from one position of one history: others cannot both be.
            foreach (TermHistory right in all.Where(right => CanBoth(left, right)))
            {
                for (ulong position = 1; position <= 5; position++)
                {
                    bool same = Enumerable.Range(1, (int)position).All(end => left.At(new Lsn((ulong)end)) == right.At(new Lsn((ulong)end)));
                    Assert.True(left.Diverges(new Lsn(position), right) != same, $"{left} | {right} at {position}");
                }
            }
        }
    }

    private static bool CanBoth(TermHistory left, TermHistory right)
    {
        for (int index = 0; index < left.Lines.Length; index++)
        {
            Term term = left.Lines[index].Term;
            bool isShared = right.Lines.Any(line => line.Term == term);
            if (isShared && !left.Lines[..(index + 1)].SequenceEqual(right.Lines.Take(index + 1)))
                return false;
        }

        return true;
    }

    private static IEnumerable<TermHistory> Histories(TermHistory history, int term)
    {
        yield return history;
        for (ulong begin = history.Newest.Begin.Bytes + 1; term <= 4 && begin <= 3; begin++)
        {
            for (int next = term; next <= 4; next++)
            {
                foreach (TermHistory longer in Histories(history.PromotedAt(new Lsn(begin), new Term(next)), next + 1))
                    yield return longer;
            }
        }
    }
}

using Repmgr.Core.Postgres;
using Repmgr.Core.Verification;

namespace Repmgr.Tests.Verification;

/// <summary>Which of two pages that differ is wrong, and which is only ahead.</summary>
public sealed class PageJudgeTests
{
    private static readonly byte[] Nothing = [];
    private static readonly byte[] Zeros = new byte[PageWorld.Bytes];
    private static readonly SettledPositions Primary = new(new Lsn(100), new Lsn(120), SourceLeads: true, HereRests: false, Diverged: false);

    [Fact]
    public void The_same_bytes_and_what_only_hints_tell_apart_are_the_same()
    {
        Assert.Equal(PageVerdict.Same, Judge(PageWorld.Of(50), PageWorld.Of(50)));
        Assert.Equal(PageVerdict.Same, Judge(PageWorld.Of(50), PageWorld.Of(500)));
        Assert.Equal(PageVerdict.Same, Judge(Nothing, Zeros));
    }

    // Settled are 100 here and 120 on the source.
    [Theory]
    [InlineData(50, 50, PageVerdict.Differs)] // the same change last, and not the same page
    [InlineData(500, 500, PageVerdict.Differs)]
    [InlineData(50, 100, PageVerdict.Differs)] // a change is missing here that must have been written
    [InlineData(50, 101, PageVerdict.Unsettled)]
    [InlineData(120, 60, PageVerdict.Differs)] // one is missing there
    [InlineData(121, 60, PageVerdict.Unsettled)]
    public void Positions_tell_old_from_wrong(ulong here, ulong there, PageVerdict expected) => Assert.Equal(expected, Judge(PageWorld.Of(here), Other(there)));

    [Fact]
    public void A_change_that_the_primary_never_wrote_is_wrong_once_its_end_is_known()
    {
        Assert.Equal(PageVerdict.Unsettled, Judge(PageWorld.Of(300), Other(60)));
        Assert.Equal(PageVerdict.Unsettled, Judge(PageWorld.Of(300), Other(60), end: 300));
        Assert.Equal(PageVerdict.Differs, Judge(PageWorld.Of(300), Other(60), end: 299));
        Assert.Equal(PageVerdict.Unsettled, Judge(PageWorld.Of(300), Other(60), Primary with { SourceLeads = false }, end: 299));
    }

    [Fact]
    public void Whoever_went_another_way_differs_wherever_it_differs()
    {
        SettledPositions diverged = Primary with { Diverged = true };
        Assert.Equal(PageVerdict.Differs, Judge(PageWorld.Of(300), Other(400), diverged));
        Assert.Equal(PageVerdict.Differs, Judge(Nothing, PageWorld.Of(400), diverged));
        Assert.Equal(PageVerdict.Same, Judge(PageWorld.Of(50), PageWorld.Of(400), diverged));
    }

    [Fact]
    public void A_page_that_the_primary_has_not_changed_for_long_must_be_here()
    {
        Assert.Equal(PageVerdict.Differs, Judge(Zeros, PageWorld.Of(100)));
        Assert.Equal(PageVerdict.Unsettled, Judge(Zeros, PageWorld.Of(101)));
        Assert.Equal(PageVerdict.OneSided, Judge(Zeros, PageWorld.Of(100), Primary with { SourceLeads = false }));
        Assert.Equal(PageVerdict.OneSided, Judge(Nothing, PageWorld.Of(100)));
        Assert.Equal(PageVerdict.Differs, Judge(Nothing, PageWorld.Of(100), Primary with { HereRests = true }));
    }

    [Fact]
    public void What_the_source_does_not_have_may_have_been_cut_off()
    {
        Assert.Equal(PageVerdict.OneSided, Judge(PageWorld.Of(50), Nothing));
        Assert.Equal(PageVerdict.OneSided, Judge(PageWorld.Of(50), Zeros));
        Assert.Equal(PageVerdict.Unsettled, Judge(PageWorld.Of(130), Zeros));
        Assert.Equal(PageVerdict.OneSided, Judge(PageWorld.Of(50), PageWorld.Of(50)[..4096]));
    }

    private static byte[] Other(ulong lsn) => PageWorld.Of(lsn).With(PageWorld.Bytes - 10, 9);

    private static PageVerdict Judge(byte[] here, byte[] there, SettledPositions? settled = null, ulong? end = null) =>
        new PageJudge(PageWorld.Bytes).Judge(here, there, 0, settled ?? Primary, end is { } position ? new Lsn(position) : null);
}

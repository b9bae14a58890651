using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Settings;
using Repmgr.Engine.Failover;

namespace Repmgr.Tests.Failover.Agents;

/// <summary>A node's file against what its cluster remembers (R13).</summary>
public sealed class AgreedDifferencesTests
{
    private static readonly DurableState Known = new OneAgent().State.Durable;

    [Fact]
    public void R13_who_says_the_same_or_was_never_admitted_hears_nothing()
    {
        Assert.Null(AgreedDifferences.Of(new Settings(), Known));
        Assert.Null(AgreedDifferences.Of(new Settings { LeaseTtl = TimeSpan.FromSeconds(9) }, Known));
        Assert.Null(AgreedDifferences.Of(new Settings { Synchronous = SyncMode.Strict }, DurableState.Unadmitted(null)));
        Assert.Null(AgreedDifferences.Of(new Settings { SynchronousNodeCount = 2 }, Known));
    }

    [Fact]
    public void R13_what_differs_is_named_with_what_counts_16()
    {
        DurableState agreed = Known with
        {
            Set = Scenes.Remembered(Scenes.Set(1, 2, 3)),
            Membership = Known.Membership with { Times = new AgreedTimes(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(30)) },
        };
        string all = $"{AgreedDifferences.Of(new Settings { SynchronousNodeCount = 2 }, agreed)}";
        Assert.Contains("synchronous = off, synchronous_node_count = 2, lease_ttl = 3000ms is not what", all, StringComparison.Ordinal);
        Assert.Contains("It goes by synchronous = quorum, synchronous_node_count = 1, lease_ttl = 10000ms.", all, StringComparison.Ordinal);
    }
}

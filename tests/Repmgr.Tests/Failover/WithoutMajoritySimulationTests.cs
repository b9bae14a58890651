using Repmgr.Core.Failover;
using Repmgr.Tests.Failover.Simulation;

namespace Repmgr.Tests.Failover;

/// <summary>A majority is lost for good, an operator says so, and later the lost ones come back after all (R18).</summary>
public sealed class WithoutMajoritySimulationTests
{
    private const int Seeds = 150;

    [Fact]
    public void R18_those_that_are_left_go_on_and_the_lost_ones_come_back_as_new_voters_17()
    {
        int gone = 0;
        for (int seed = 1; seed <= Seeds; seed++)
        {
            SimulationResult result = World.Run(seed, new SimulationProfile { Synchronous = null, LosesMajority = true, Trouble = TimeSpan.FromSeconds(12) });
            Assert.True(result.Violation is null, $"seed {result.Seed}, turn {result.Turns}: {result.Violation}\n{result.LastEvents}");
            gone += result.HighestTerm.Number > WithoutMajority.Above ? 1 : 0;
        }

        Assert.True(gone > Seeds / 4, $"only {gone} of {Seeds} worlds lost their majority");
    }
}

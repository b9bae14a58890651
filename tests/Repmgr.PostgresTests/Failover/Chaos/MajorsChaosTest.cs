using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover.Chaos;

/// <summary>The main faults on each major that the other classes do not run on, one after the other on one cluster.</summary>
public sealed class MajorsChaosTest : LabTest
{
    private static readonly string[] Main = ["the postmaster is killed", "the host loses its power", "the host is cut off", "the agent is killed", "the primary is handed over and killed"];

    [Theory, EveryMajor]
    public async Task The_main_faults(int major)
    {
        Assert.SkipWhen(major == PostgresMajor.Default, "all faults strike this major in the classes of the modes");
        await using ChaosCluster chaos = await ChaosCluster.StartAsync(Lab, new ChaosWorld { Major = major, Synchronous = major % 2 > 0 ? "quorum" : "off" });
        foreach (string fault in Main)
            TestContext.Current.TestOutputHelper?.WriteLine((await chaos.StrikeAsync(Faults.Named(fault))).ToString());
        await chaos.EndAsync();
    }
}

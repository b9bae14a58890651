namespace Repmgr.PostgresTests.Failover.Chaos;

/// <summary>
/// Each fault strikes the primary of a running cluster: never are there two at once (I1), nothing is lost that is promised to be kept (I3, I4), and at the end all stream from one
/// node on one timeline (I7). The scenarios of one mode share a cluster, so that one costs some ten seconds.
/// </summary>
public abstract class ChaosTest(ChaosScene scene)
{
    protected async Task GoThroughAsync(string fault)
    {
        ChaosCluster chaos = await scene.ClusterAsync();
        try
        {
            TestContext.Current.TestOutputHelper?.WriteLine((await chaos.StrikeAsync(Faults.Named(fault))).ToString());
        }
        catch
        {
            // The next one is to begin well.
            await scene.AbandonAsync();
            throw;
        }
    }

    // REPMGR_CHAOS=disk: only what has that word in its name, for whoever looks for something.
    private protected static IEnumerable<TheoryDataRow<string>> Those(Func<Fault, bool> wanted) => Faults.All
        .Where(fault => wanted(fault) && fault.Name.Contains(Environment.GetEnvironmentVariable("REPMGR_CHAOS") ?? "", StringComparison.Ordinal))
        .Select(fault => new TheoryDataRow<string>(fault.Name));
}

/// <summary>Without synchronous standbys.</summary>
public sealed class LeaseModeChaosTest(LeaseModeScene scene) : ChaosTest(scene), IClassFixture<LeaseModeScene>
{
    public static IEnumerable<TheoryDataRow<string>> Faulty => Those(fault => !fault.OnlySynchronous);

    [Theory, MemberData(nameof(Faulty))]
    public Task In_lease_mode(string fault) => GoThroughAsync(fault);
}

/// <summary>With them: nothing at all is lost, whatever happens.</summary>
public sealed class QuorumModeChaosTest(QuorumModeScene scene) : ChaosTest(scene), IClassFixture<QuorumModeScene>
{
    public static IEnumerable<TheoryDataRow<string>> Faulty => Those(_ => true);

    [Theory, MemberData(nameof(Faulty))]
    public Task In_quorum_mode(string fault) => GoThroughAsync(fault);
}

/// <summary>With the lease in etcd, which a host that is cut off does not reach either.</summary>
public sealed class EtcdModeChaosTest(EtcdModeScene scene) : ChaosTest(scene), IClassFixture<EtcdModeScene>
{
    public static IEnumerable<TheoryDataRow<string>> Faulty => Those(fault => !fault.OnlySynchronous);

    [Theory, MemberData(nameof(Faulty))]
    public Task With_etcd(string fault) => GoThroughAsync(fault);
}

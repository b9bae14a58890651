namespace Repmgr.PostgresTests.Harness;

/// <summary>A test on real servers: has a <see cref="Lab"/>, and shows what happened in it when it fails.</summary>
public abstract class LabTest : IAsyncLifetime
{
    private Lab? _lab;

    protected Lab Lab => _lab ?? throw new InvalidOperationException("the lab is not open yet");

    protected static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    public virtual async ValueTask InitializeAsync() => _lab = await Lab.OpenAsync();

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (TestContext.Current.TestState?.Result == TestResult.Failed)
            TestContext.Current.TestOutputHelper?.WriteLine(Lab.Report());
        await Lab.DisposeAsync();
    }
}

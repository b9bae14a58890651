namespace Repmgr.PostgresTests.Harness;

/// <summary>A test on real servers: has a <see cref="Lab"/>, and shows what happened in it when it fails.</summary>
public abstract class LabTest : IAsyncLifetime
{
    /// <summary>Far beyond what any test takes on a busy machine: one that reaches it hangs.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(15);

    private Lab? _lab;
    private Timer? _limit;

    protected Lab Lab => _lab ?? throw new InvalidOperationException("the lab is not open yet");

    protected static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    public virtual async ValueTask InitializeAsync()
    {
        _limit = Limit(TestContext.Current);
        _lab = await Lab.OpenAsync();
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (TestContext.Current.TestState?.Result == TestResult.Failed)
            TestContext.Current.TestOutputHelper?.WriteLine(Lab.Report());
        await Lab.DisposeAsync();
        _limit?.Dispose();
    }

    /// <summary>Cancels a test that hangs. When that is of no use either, the run ends with its name: it would otherwise last for ever.</summary>
    private static Timer Limit(ITestContext test)
    {
        bool isCancelled = false;
        return new Timer(
            _ =>
            {
                if (isCancelled)
                    Environment.FailFast($"{test.Test?.TestDisplayName} hangs, and cannot be cancelled.");
                isCancelled = true;
                test.CancelCurrentTest();
            },
            null,
            Longest,
            TimeSpan.FromMinutes(2));
    }
}

using Repmgr.Engine.Failover;

namespace Repmgr.Tests.Failover.Agents;

public sealed class DyingProcessTests
{
    [Theory]
    [InlineData("D (disk sleep)", "0000000000000100", "0000000000000000", true)]
    [InlineData("D (disk sleep)", "0000000000000000", "0000000000004100", true)]
    // Not killed yet; and one that was, and is still to be scheduled: it may write once more.
    [InlineData("D (disk sleep)", "0000000000004000", "0000000000000000", false)]
    [InlineData("R (running)", "0000000000000100", "0000000000000000", false)]
    public void R3_a_process_in_uninterruptible_sleep_counts_as_ended_once_its_SIGKILL_is_pending_26(string state, string own, string shared, bool isDying) =>
        Assert.Equal(isDying, DyingProcess.Is([$"Name:\tpostgres", $"State:\t{state}", $"SigPnd:\t{own}", $"ShdPnd:\t{shared}", "SigBlk:\t0000000000000100"]));

    [Fact]
    public void Where_no_process_is_left_none_is_waited_for_and_one_that_lives_is()
    {
        string empty = Directory.CreateTempSubdirectory("repmgr-none-").FullName;
        Assert.True(DyingProcess.AreAll(ProcessSweep.Canonical(empty)));
        Directory.Delete(empty);
        Assert.False(DyingProcess.Is(File.ReadAllLines("/proc/self/status")));
    }
}

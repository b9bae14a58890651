using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Daemon;

/// <summary><c>daemon start</c>, <c>daemon stop</c> and <c>service status</c> with <c>failover = manual</c>.</summary>
public sealed class DaemonServiceTest : LabTest
{
    [Fact]
    public async Task The_daemon_is_started_seen_and_stopped()
    {
        TestServer node = await Lab.ServerAsync(PostgresMajor.Default);
        await node.StartAsync();
        await node.WriteConfAsync();
        (await node.RepmgrAsync("primary", "register")).ShouldSucceed();
        Assert.Contains("repmgrd_service_start_command is not set", (await node.RepmgrAsync("daemon", "start")).ShouldExit(ExitCode.RepmgrdService).Stderr, StringComparison.Ordinal);

        await node.WriteConfAsync($"repmgrd_service_start_command = '{Programs.Repmgrd} -f {node.ConfPath} --daemonize --pid-file={node.Directory}/repmgrd.pid'", $"log_file = '{node.Directory}/repmgrd.log'");
        Assert.StartsWith("1. run \"", (await node.RepmgrAsync("daemon", "start", "--dry-run")).ShouldSucceed().Stdout, StringComparison.Ordinal);
        Assert.Contains("repmgrd is not running", (await node.RepmgrAsync("daemon", "stop")).ShouldExit(ExitCode.RepmgrdService).Stderr, StringComparison.Ordinal);
        Assert.Contains("repmgrd runs, with PID", (await node.RepmgrAsync("daemon", "start")).ShouldSucceed().Stderr, StringComparison.Ordinal);
        string pid = (await File.ReadAllTextAsync($"{node.Directory}/repmgrd.pid", TestContext.Current.CancellationToken)).Trim();
        Assert.Contains($"running already, with PID {pid}", (await node.RepmgrAsync("daemon", "start")).ShouldExit(ExitCode.RepmgrdService).Stderr, StringComparison.Ordinal);

        // It is seen by its connection, as soon as it has one.
        await Eventually.TrueAsync(
            async () => (await node.RepmgrAsync("service", "status", "--csv")).ShouldSucceed().Stdout.Trim() == $"1,{node.Name},primary,1,1,{pid},-1,100,-1,default",
            Seconds(20), "service status shows the daemon");
        Assert.Contains("failover is manual on this node", (await node.RepmgrAsync("service", "pause")).ShouldExit(ExitCode.BadConfig).Stderr, StringComparison.Ordinal);
        Assert.Contains("failover is manual on this node", (await node.RepmgrAsync("cluster", "explain")).ShouldExit(ExitCode.BadConfig).Stderr, StringComparison.Ordinal);

        Assert.Contains("repmgrd has ended", (await node.RepmgrAsync("daemon", "stop")).ShouldSucceed().Stderr, StringComparison.Ordinal);
        Assert.Equal($"1,{node.Name},primary,1,0,-1,-1,100,-1,default", (await node.RepmgrAsync("service", "status", "--csv")).ShouldSucceed().Stdout.Trim());
        (await node.RepmgrAsync("daemon", "start", "--no-wait")).ShouldSucceed();
        await Eventually.TrueAsync(
            async () => (await node.RepmgrAsync("daemon", "stop", "--wait=20")).ExitCode == 0, Seconds(20), "one that was started without waiting is there to be stopped");
    }
}

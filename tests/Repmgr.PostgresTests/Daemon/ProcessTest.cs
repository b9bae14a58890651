using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Daemon;

/// <summary>repmgrd as a process: pid file, background, signals, log, hooks.</summary>
public sealed class ProcessTest : LabTest
{
    [Fact]
    public async Task A_second_one_is_refused_with_the_pid_and_a_killed_one_leaves_nothing_in_the_way()
    {
        TestServer node = await RegisteredPrimaryAsync();
        string pidFile = Path.Combine(node.Directory, "repmgrd.pid");
        RepmgrdProcess first = node.StartRepmgrd("-p", pidFile);
        await Eventually.TrueAsync(() => Task.FromResult(File.Exists(pidFile)), Seconds(10), "the pid file is there");
        int pid = await PidAsync(pidFile);

        ProgramResult second = await node.RunAsync(Programs.Repmgrd, "-f", node.ConfPath, "-p", pidFile);
        Assert.Equal(3, second.ExitCode);
        second.ShouldSay($"repmgrd is already running with PID {pid}");

        first.Kill();
        await first.ExitAsync(Seconds(10));
        Assert.True(File.Exists(pidFile));
        RepmgrdProcess again = node.StartRepmgrd("-p", pidFile);
        await Eventually.TrueAsync(async () => await PidAsync(pidFile) != pid, Seconds(10), "the stale pid file is taken over");
        Assert.Equal(0, await again.StopAsync());
        Assert.False(File.Exists(pidFile));
    }

    [Theory]
    [InlineData("SIGTERM")]
    [InlineData("SIGINT")]
    public async Task A_signal_ends_it_cleanly(string signal)
    {
        TestServer node = await RegisteredPrimaryAsync();
        string pidFile = Path.Combine(node.Directory, "repmgrd.pid");
        RepmgrdProcess daemon = node.StartRepmgrd("-p", pidFile);
        await daemon.SaysAsync("monitoring cluster primary", Seconds(20));
        Assert.Equal(daemon.ProcessId, await PidAsync(pidFile));

        Signal(daemon, signal);

        Assert.Equal(0, await daemon.ExitAsync(Seconds(15)));
        Assert.False(File.Exists(pidFile));
        Assert.EndsWith("[NOTICE] repmgrd ends\n", daemon.Log(), StringComparison.Ordinal);
        Assert.Equal("repmgrd_shutdown", await node.QueryAsync<string>("select event from repmgr.events order by event_timestamp desc limit 1"));
    }

    /// <summary>As nohup and scripts start what is to run in the background. What is ignored is inherited.</summary>
    [Theory]
    [InlineData("SIGTERM")]
    [InlineData("SIGINT")]
    public async Task Signals_count_also_where_they_were_ignored_when_it_was_started(string signal)
    {
        TestServer node = await Lab.EmptyServerAsync(PostgresMajor.Default, 1);
        RepmgrdProcess daemon = RepmgrdProcess.Start(node, ["-f", node.ConfPath], null, "env", "--ignore-signal=HUP,INT,TERM");
        await daemon.SaysAsync("waiting for the server of node \"node1\" (ID: 1)", Seconds(20));

        daemon.Reload();
        await daemon.SaysAsync("configuration reloaded", Seconds(20));
        Signal(daemon, signal);
        Assert.Equal(0, await daemon.ExitAsync(Seconds(15)));
    }

    [Fact]
    public async Task In_the_background_it_outlives_who_started_it_and_names_its_pid_file()
    {
        TestServer node = await RegisteredPrimaryAsync();
        string pidFile = Path.Combine(node.Directory, "background.pid");
        string log = Path.Combine(node.Directory, "background.log");
        await node.WriteConfAsync($"repmgrd_pid_file='{pidFile}'", $"log_file='{log}'");

        (await node.RunAsync(Programs.Repmgrd, "-f", node.ConfPath, "-s")).ShouldSucceed().ShouldSay(pidFile);
        (await node.RunAsync(Programs.Repmgrd, "-f", node.ConfPath, "--daemonize")).ShouldSucceed();

        int pid = await PidAsync(pidFile);
        string[] stat = (await File.ReadAllTextAsync($"/proc/{pid}/stat", TestContext.Current.CancellationToken)).Split(' ');
        Assert.Equal(pid.ToString(CultureInfo.InvariantCulture), stat[5]);
        await Eventually.TrueAsync(async () => (await File.ReadAllTextAsync(log, TestContext.Current.CancellationToken)).Contains("monitoring cluster primary", StringComparison.Ordinal), Seconds(20), "it watches");
        ProgramResult second = await node.RunAsync(Programs.Repmgrd, "-f", node.ConfPath, "-d");
        Assert.Equal(3, second.ExitCode);
        second.ShouldSay($"already running with PID {pid}");

        _ = Leftovers.Send(pid, 15);
        await Eventually.TrueAsync(() => Task.FromResult(!File.Exists(pidFile) && Leftovers.IsGone(pid)), Seconds(10), "it ends and removes its pid file");
    }

    [Fact]
    public async Task A_reload_lists_what_changed_refuses_a_broken_file_and_reopens_the_log()
    {
        TestServer node = await RegisteredPrimaryAsync();
        string log = Path.Combine(node.Directory, "my.log");
        await node.WriteConfAsync($"log_file='{log}'");
        RepmgrdProcess daemon = node.StartRepmgrd();
        await SaysAsync(log, "monitoring cluster primary");

        await node.WriteConfAsync($"log_file='{log}'", "monitor_interval_secs = 1", "log_level = DEBUG");
        File.Move(log, log + ".1");
        daemon.Reload();
        await SaysAsync(log + ".1", "monitor_interval_secs: 2 → 1");
        await SaysAsync(log + ".1", "log_level: INFO → DEBUG");
        await Eventually.TrueAsync(() => node.QueryAsync<bool>("select exists (select from repmgr.events where event = 'repmgrd_config_reload')"), Seconds(10), "the event");

        await node.WriteConfAsync($"log_file='{log}'", "monitor_interval_secs = never", "reconnect_attempts = -1");
        daemon.Reload();
        await SaysAsync(log, "the old settings stay in force");
        string said = await File.ReadAllTextAsync(log, TestContext.Current.CancellationToken);
        Assert.Contains($"invalid value for setting \"monitor_interval_secs\" in file \"{node.ConfPath}\" line 7: \"never\"", said, StringComparison.Ordinal);
        Assert.Contains($"invalid value for setting \"reconnect_attempts\" in file \"{node.ConfPath}\" line 8: \"-1\"", said, StringComparison.Ordinal);
        Assert.Equal(0, await daemon.StopAsync());
    }

    [Fact]
    public async Task A_log_on_a_full_disk_does_not_end_it()
    {
        TestServer node = await RegisteredPrimaryAsync();
        await node.WriteConfAsync("log_file='/dev/full'", "monitor_interval_secs = 1");
        RepmgrdProcess daemon = node.StartRepmgrd();

        await Eventually.TrueAsync(() => node.QueryAsync<bool>("select exists (select from repmgr.events where event = 'repmgrd_start')"), Seconds(20), "it watches all the same");
        Assert.False(daemon.HasExited);
        Assert.Equal(0, await daemon.StopAsync());
    }

    [Fact]
    public async Task Json_lines_are_json()
    {
        TestServer node = await RegisteredPrimaryAsync();
        await node.WriteConfAsync("log_format = json");
        RepmgrdProcess daemon = node.StartRepmgrd();
        await daemon.SaysAsync("monitoring cluster primary", Seconds(20));
        Assert.Equal(0, await daemon.StopAsync());

        foreach (string line in daemon.Log().Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using JsonDocument parsed = JsonDocument.Parse(line);
            Assert.Equal("repmgrd", parsed.RootElement.GetProperty("program").GetString());
        }
    }

    [Fact]
    public async Task Systemd_is_told_of_start_reload_and_end_and_its_watchdog_is_fed()
    {
        TestServer node = await RegisteredPrimaryAsync();
        string path = Path.Combine(node.Directory, "notify");
        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.Bind(new UnixDomainSocketEndPoint(path));
        File.SetUnixFileMode(path, UnixFileMode.OtherWrite | UnixFileMode.OtherRead | UnixFileMode.UserRead | UnixFileMode.UserWrite);
        RepmgrdProcess daemon = node.StartRepmgrd(new Dictionary<string, string?> { ["NOTIFY_SOCKET"] = path, ["WATCHDOG_USEC"] = "1000000" });

        Assert.Equal(1, await UntilAsync(manager, "READY=1\nSTATUS=node 1 is watched"));
        for (int times = 0; times < 5; times++)
            await UntilAsync(manager, "WATCHDOG=1");
        daemon.Reload();
        await UntilAsync(manager, "RELOADING=1");
        await UntilAsync(manager, "READY=1");
        Task<int> stopping = daemon.StopAsync();
        await UntilAsync(manager, "STOPPING=1");
        Assert.Equal(0, await stopping);
    }

    [Fact]
    public async Task A_notification_that_hangs_holds_nothing_up_and_nothing_is_injected()
    {
        TestCluster cluster = await Lab.ClusterAsync(PostgresMajor.Default, standbys: 1);
        await Registration.OfAsync(cluster);
        TestServer standby = cluster.Standbys[0];
        string told = Path.Combine(standby.Directory, "told");
        await standby.WriteConfAsync(
            "monitor_interval_secs = 1", "monitoring_history = yes", "event_notifications = 'repmgrd_start,repmgrd_upstream_disconnect'",
            $"event_notification_command = 'printf \"%%s|%%s|%%s|%%s\\n\" %n %e %s \"%d\" >> {told}; sleep 600'");
        RepmgrdProcess daemon = standby.StartRepmgrd();

        await Eventually.TrueAsync(
            async () => File.Exists(told) && await File.ReadAllTextAsync(told, TestContext.Current.CancellationToken) == "2|repmgrd_start|1|monitoring connection to upstream node \"node1\" (ID: 1)\n",
            Seconds(20), "the start is announced");
        long rows = await cluster.Primary.QueryAsync<long>("select count(*) from repmgr.monitoring_history");
        await Eventually.TrueAsync(
            async () => await cluster.Primary.QueryAsync<long>("select count(*) from repmgr.monitoring_history") > rows + 3, Seconds(20), "rows are written while the script hangs");
        Assert.Equal(0, await daemon.StopAsync());
    }

    private async Task<TestServer> RegisteredPrimaryAsync()
    {
        TestServer node = await Lab.ServerAsync(PostgresMajor.Default);
        await node.StartAsync();
        await Registration.OfAsync(node, null);
        return node;
    }

    private static async Task<int> PidAsync(string file) =>
        int.Parse((await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)).Trim(), CultureInfo.InvariantCulture);

    private static Task SaysAsync(string log, string text) => Eventually.TrueAsync(
        async () => File.Exists(log) && (await File.ReadAllTextAsync(log, TestContext.Current.CancellationToken)).Contains(text, StringComparison.Ordinal),
        Seconds(20), $"{Path.GetFileName(log)} says «{text}»");

    private static void Signal(RepmgrdProcess daemon, string signal)
    {
        if (signal == "SIGINT")
            daemon.Interrupt();
        else
            daemon.Terminate();
    }

    /// <summary>Hears messages up to one that begins like this, and counts them.</summary>
    private static async Task<int> UntilAsync(Socket manager, string beginning)
    {
        byte[] buffer = new byte[512];
        string heard = "";
        int count = 0;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Seconds(20));
        for (; !heard.StartsWith(beginning, StringComparison.Ordinal); count++)
            heard = Encoding.UTF8.GetString(buffer, 0, await manager.ReceiveAsync(buffer, deadline.Token));
        return count;
    }
}

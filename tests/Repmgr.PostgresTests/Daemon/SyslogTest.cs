using System.Net.Sockets;
using System.Text;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Daemon;

/// <summary>repmgrd beside a logging daemon: what arrives at <c>/dev/log</c>, as it arrives.</summary>
public sealed class SyslogTest : LabTest
{
    [Fact]
    public async Task Lines_go_to_syslog_with_facility_level_and_process_and_a_reload_moves_them()
    {
        IReadOnlyList<TestHost> hosts = await Lab.HostsAsync("node1");
        string path = Path.Combine(Lab.Directory, "log.socket");
        using var logging = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        logging.Bind(new UnixDomainSocketEndPoint(path));
        File.SetUnixFileMode(path, (UnixFileMode)Convert.ToInt32("666", 8));
        await hosts[0].TakeSyslogAsync(path);
        // There is no server: waiting for one is said too.
        TestServer node = await Lab.EmptyServerAsync(PostgresMajor.Default, 1, hosts[0]);
        await node.WriteConfAsync("log_facility = LOCAL3");

        RepmgrdProcess daemon = node.StartRepmgrd("--no-pid-file");

        // The priority is the facility times eight plus the level: LOCAL3 is 19, a notice is 5 and a warning 4.
        string[] beginning = await UntilAsync(logging, "waiting for the server of node \"node1\" (ID: 1)");
        Assert.Matches(@"^<157>\w{3} [ \d]\d \d\d:\d\d:\d\d repmgrd\[\d+\]: \[NOTICE\] repmgrd \S+ starts$", beginning[0]);
        Assert.EndsWith($": [DETAIL] Configuration file: {node.ConfPath}.", beginning[1], StringComparison.Ordinal);
        Assert.StartsWith("<156>", beginning[^1], StringComparison.Ordinal);
        Assert.Empty(daemon.Log());

        string file = Path.Combine(node.Directory, "from-now-on.log");
        await node.WriteConfAsync("log_facility = STDERR", $"log_file = '{file}'");
        daemon.Reload();
        await UntilAsync(logging, "log_facility: LOCAL3 → STDERR");
        daemon.Reload();
        await Eventually.TrueAsync(
            async () => File.Exists(file) && (await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)).Contains("no setting has changed", StringComparison.Ordinal),
            Seconds(20), "the file is written to");
        Assert.Equal(0, await daemon.StopAsync());
    }

    /// <summary>What arrives, up to the first line with this text.</summary>
    private static async Task<string[]> UntilAsync(Socket logging, string text)
    {
        byte[] buffer = new byte[4096];
        List<string> lines = [];
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Seconds(20));
        while (lines.Count == 0 || !lines[^1].Contains(text, StringComparison.Ordinal))
            lines.Add(Encoding.UTF8.GetString(buffer, 0, await logging.ReceiveAsync(buffer, deadline.Token)));
        return [.. lines];
    }
}

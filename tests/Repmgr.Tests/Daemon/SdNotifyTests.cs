using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Repmgr.Engine.Daemon;

namespace Repmgr.Tests.Daemon;

public sealed class SdNotifyTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("repmgr-sd-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Systemd_hears_of_start_reload_and_end()
    {
        string path = Path.Combine(_directory, "notify");
        using Socket manager = Listen(path);
        using var notify = new SdNotify(path, watchdogEvery: TimeSpan.FromSeconds(1));

        notify.Ready("watching");
        notify.Alive();
        notify.Reloading();
        notify.Status("node 2 watches node 1");
        notify.Stopping();

        Assert.Equal("READY=1\nSTATUS=watching", Receive(manager));
        Assert.Equal("WATCHDOG=1", Receive(manager));
        Assert.Matches(@"^RELOADING=1\nMONOTONIC_USEC=\d+$", Receive(manager));
        Assert.Equal("STATUS=node 2 watches node 1", Receive(manager));
        Assert.Equal("STOPPING=1", Receive(manager));
    }

    [Fact]
    public void The_abstract_name_space_is_understood()
    {
        string name = "@repmgr-test-" + Guid.NewGuid().ToString("N");
        using Socket manager = Listen("\0" + name[1..]);
        using var notify = new SdNotify(name, watchdogEvery: null);

        notify.Alive();
        notify.Stopping();

        Assert.Equal("STOPPING=1", Receive(manager));
    }

    [Fact]
    public void Without_systemd_or_when_it_is_gone_nothing_happens()
    {
        using var none = new SdNotify(null, watchdogEvery: null);
        none.Ready("x");
        using var gone = new SdNotify(Path.Combine(_directory, "nobody"), watchdogEvery: null);
        gone.Ready("x");
    }

    [Fact]
    public void A_queue_that_nobody_reads_blocks_nothing()
    {
        string path = Path.Combine(_directory, "full");
        using Socket manager = Listen(path);
        using var notify = new SdNotify(path, watchdogEvery: null);

        for (int message = 0; message < 10_000; message++)
            notify.Status("x");
    }

    [Theory]
    [InlineData("30000000", null, 15.0)]
    [InlineData("30000000", "self", 15.0)]
    [InlineData("30000000", "1", null)]
    [InlineData(null, null, null)]
    [InlineData("rubbish", null, null)]
    public void The_watchdog_is_fed_at_half_its_limit_when_it_is_ours(string? microseconds, string? pid, double? seconds)
    {
        string? own = pid == "self" ? Environment.ProcessId.ToString(CultureInfo.InvariantCulture) : pid;
        using var notify = SdNotify.FromEnvironment(name => name switch { "WATCHDOG_USEC" => microseconds, "WATCHDOG_PID" => own, _ => null });

        Assert.Equal(seconds, notify.WatchdogEvery?.TotalSeconds);
    }

    private static Socket Listen(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 5000 };
        socket.Bind(new UnixDomainSocketEndPoint(path));
        return socket;
    }

    private static string Receive(Socket socket)
    {
        byte[] buffer = new byte[512];
        return Encoding.UTF8.GetString(buffer, 0, socket.Receive(buffer));
    }
}

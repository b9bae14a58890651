using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Repmgr.Core.Failover;
using Repmgr.Core.Settings;
using Repmgr.Engine.Failover;

namespace Repmgr.Tests.Failover.Agents;

/// <summary>The guard and its watchdog (R4), which here is a FIFO: what arrives there is what a device would be told.</summary>
public sealed class WatchdogTests : IDisposable
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(20), Budget = TimeSpan.FromSeconds(0.5);

    private readonly string _directory = Directory.CreateTempSubdirectory("repmgr-watchdog-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void It_is_fed_while_the_server_may_write_and_closed_when_all_is_over()
    {
        using var guard = new Guard(_directory, fires: 1);
        Assert.Empty(guard.Told);
        guard.Tell(GuardProcess.Arm, BootClock.Now + TimeSpan.FromMinutes(1));
        guard.Until(told => told.Count(food => food == 0) >= 3);
        guard.Tell(GuardProcess.Over, null);
        guard.Until(told => told[^1] == 'V');
        Assert.Equal(1, guard.Told.Count(food => food == 'V'));
    }

    [Fact]
    public void An_agent_that_stops_for_a_while_has_it_fed_by_the_guard_which_closes_it_when_it_has_fenced()
    {
        using var guard = new Guard(_directory, fires: 1);
        TimeSpan fences = BootClock.Now + TimeSpan.FromSeconds(3);
        guard.Tell(GuardProcess.Arm, fences);
        guard.Leave();
        guard.Until(told => told.Contains('V'));
        Assert.True(BootClock.Now >= fences);
        Assert.True(guard.Told.Count(food => food == 0) >= 2, "fed at first, and again without an agent");
        Assert.Equal('V', guard.Told[^1]);
    }

    [Fact]
    public void It_is_not_fed_when_it_would_fire_after_the_end_of_the_lease()
    {
        using var guard = new Guard(_directory, fires: 60);
        guard.Tell(GuardProcess.Arm, BootClock.Now + TimeSpan.FromSeconds(1));
        guard.Until(told => told.Contains('V'));
        Assert.Equal(['V'], guard.Told);
    }

    [Fact]
    public void A_pause_is_waited_for()
    {
        using var guard = new Guard(_directory, fires: 1);
        guard.Tell(GuardProcess.Arm, BootClock.Now + TimeSpan.FromMilliseconds(1), BootClock.Now + TimeSpan.FromMinutes(1));
        guard.Until(told => told.Count(food => food == 0) >= 3);
        Assert.DoesNotContain('V', guard.Told);
    }

    [Fact]
    public void The_last_feeding_lets_it_fire_before_the_lease_ends()
    {
        var device = new WatchdogDevice(Path.Combine(_directory, "none"), Nanoseconds(TimeSpan.FromSeconds(2)), Nanoseconds(Budget));
        device.Open();
        Assert.Equal(-1, device.NextFeed(long.MaxValue / 2));

        using var guard = new Guard(_directory, fires: 2);
        var fifo = new WatchdogDevice(guard.Fifo, Nanoseconds(TimeSpan.FromSeconds(2)), Nanoseconds(Budget));
        fifo.Open();
        long now = BootClock.Nanoseconds, fences = now + Nanoseconds(TimeSpan.FromSeconds(10));
        Assert.InRange(fifo.NextFeed(fences) - now, 0, Nanoseconds(TimeSpan.FromSeconds(1)));
        long last = fences + Nanoseconds(Budget) - Nanoseconds(TimeSpan.FromSeconds(2));
        fifo.Feed(last - 1, fences);
        Assert.Equal(last, fifo.NextFeed(fences));
        fifo.Feed(last, fences);
        Assert.Equal(-1, fifo.NextFeed(fences));
        fifo.Feed(last + 1, fences);
        guard.Until(told => told.Count == 2);
        fifo.Close();
        guard.Until(told => told.Count == 3 && told[^1] == 'V');
    }

    [Fact]
    public void What_is_no_watchdog_is_refused_with_the_reason()
    {
        string file = Path.Combine(_directory, "file");
        File.WriteAllText(file, "");
        Assert.Equal("it is neither a device nor a FIFO", WhyNot(file));
        Assert.Equal("No such file or directory", WhyNot(Path.Combine(_directory, "absent")));
        // A device whose time nobody can set or tell: ENOTTY.
        Assert.Equal("it does not say how long it waits, and cannot be told", WhyNot("/dev/null"));
        Assert.Equal("it resets the host after 60 s, and has to within 2 s, before the lease ends", WatchdogState.Why(WatchdogState.WaitsTooLong(60), TimeSpan.FromSeconds(2)));
        Assert.Contains("modprobe softdog", Order(file).Unusable(WatchdogState.Failed(2)).Hint, StringComparison.Ordinal);
        Assert.Contains("udev", Order(file).Unusable(WatchdogState.Failed(13)).Hint, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3, 0.5, 2)]
    [InlineData(2, 0.5, 1)]
    [InlineData(30, 10, 17)]
    [InlineData(1, 0.1, null)]
    public void It_fires_after_whole_seconds_that_a_lease_and_its_renewal_leave(double ttl, double renew, int? seconds)
    {
        AgentPolicy policy = new() { Ttl = TimeSpan.FromSeconds(ttl), RenewEvery = TimeSpan.FromSeconds(renew), DriftMargin = TimeSpan.FromSeconds(ttl / 10) };
        (WatchdogOrder? order, _) = WatchdogOrder.For(new Settings { WatchdogDevice = "/dev/watchdog" }, policy);
        Assert.Equal(seconds, (int?)order?.Fires.TotalSeconds);
        Assert.Equal(order, order is null ? null : WatchdogOrder.Read(order.Argument));
        Assert.Null(WatchdogOrder.For(new Settings(), policy).Order);
    }

    private static string? WhyNot(string path)
    {
        WatchdogDevice device = Order(path).Device();
        device.Try();
        Assert.False(device.IsOpen);
        return WatchdogState.Why(device.State, Order(path).Fires);
    }

    private static WatchdogOrder Order(string path) => new(path, TimeSpan.FromSeconds(2), Budget);

    private static long Nanoseconds(TimeSpan time) => time.Ticks * TimeSpan.NanosecondsPerTick;

    /// <summary>The loop of a guard on a thread, of a directory that no server runs in, and a reader of its FIFO.</summary>
    private sealed class Guard : IDisposable
    {
        private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
        private readonly Socket _agent = new(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
        private readonly List<char> _told = [];
        private readonly Thread _loop;

        public Guard(string directory, int fires)
        {
            Fifo = Path.Combine(directory, "watchdog");
            using (var made = Process.Start("mkfifo", [Fifo]))
                made.WaitForExit();
            // Both ends: so that there is always a reader, and reading does not end when a writer does. It ends with the process.
            var reader = new FileStream(Fifo, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
            new Thread(() => Read(reader)) { IsBackground = true }.Start();
            var where = new UnixDomainSocketEndPoint(Path.Combine(directory, "guard.sock"));
            _listener.Bind(where);
            _listener.Listen();
            var device = new WatchdogDevice(Fifo, fires * 1_000_000_000L, Nanoseconds(Budget));
            byte[] data = ProcessSweep.Canonical(directory);
            _loop = new Thread(() =>
            {
                GuardProcess.Loop((int)_listener.Handle, data, device, tag: 7);
                GC.KeepAlive(_listener);
            })
            { IsBackground = true };
            _loop.Start();
            _agent.Connect(where);
        }

        public string Fifo { get; }

        public IReadOnlyList<char> Told
        {
            get
            {
                lock (_told)
                    return [.. _told];
            }
        }

        public void Tell(long kind, TimeSpan? deadline, TimeSpan? paused = null)
        {
            _agent.Send(MemoryMarshal.AsBytes<long>([kind, deadline is { } at ? Nanoseconds(at) : -1, paused is { } until ? Nanoseconds(until) : -1]));
            long[] echo = new long[5];
            Assert.Equal(40, _agent.Receive(MemoryMarshal.AsBytes(echo.AsSpan())));
            Assert.Equal((0L, 7L), (kind == GuardProcess.Over ? 0 : echo[3], echo[4]));
        }

        public void Leave() => _agent.Dispose();

        public void Until(Func<IReadOnlyList<char>, bool> isReached)
        {
            var waiting = Stopwatch.StartNew();
            lock (_told)
            {
                while (!isReached(_told))
                    Assert.True(Monitor.Wait(_told, Within) && waiting.Elapsed < Within, $"told so far: {string.Join(' ', _told.Select(food => (int)food))}");
            }
        }

        public void Dispose()
        {
            _agent.Dispose();
            using var last = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
            last.Connect(_listener.LocalEndPoint!);
            last.Send(MemoryMarshal.AsBytes<long>([GuardProcess.Leave, -1, -1]));
            Assert.True(_loop.Join(Within));
            _listener.Dispose();
        }

        private void Read(FileStream reader)
        {
            byte[] one = new byte[1];
            while (reader.Read(one) == 1)
            {
                lock (_told)
                {
                    _told.Add((char)one[0]);
                    Monitor.PulseAll(_told);
                }
            }
        }
    }
}

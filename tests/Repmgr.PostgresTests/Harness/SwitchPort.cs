using System.Diagnostics;
using System.Globalization;

namespace Repmgr.PostgresTests.Harness;

/// <summary>Where a host's line ends at the switch of a <see cref="TestNetwork"/>: it is unplugged there, or led through something that loses and delays.</summary>
/// <remarks>
/// Kernels for virtual machines often lack <c>tc netem</c>. A small program that moves frames between two interfaces does the same, on all of them:
/// https://man7.org/linux/man-pages/man7/packet.7.html
/// </remarks>
internal sealed class SwitchPort(NamespaceHolder @switch, int number)
{
    // PACKET_VNET_HDR hands on checksums that are still to be computed, and segments that are still to be cut, as they are.
    private const string Line = """
        import heapq, random, select, socket, sys, time
        here, there, lost, late = sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
        SOL_PACKET, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING, ALL = 263, 15, 23, 3
        def end(name):
            s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            s.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
            s.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
            s.bind((name, ALL))
            return s
        a, b = end(here), end(there)
        waiting, count = [], 0
        print("ready", flush=True)
        while True:
            wait = max(0, waiting[0][0] - time.monotonic()) if waiting else None
            for s in select.select([a, b], [], [], wait)[0]:
                frame = s.recv(1 << 17)
                if s is b:
                    heapq.heappush(waiting, (time.monotonic(), count, a, frame))
                elif random.random() >= lost:
                    heapq.heappush(waiting, (time.monotonic() + late, count, b, frame))
                count += 1
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, to, frame = heapq.heappop(waiting)
                try:
                    to.send(frame)
                except OSError:
                    pass
        """;

    private readonly string _here = string.Create(CultureInfo.InvariantCulture, $"p{number}"), _there = string.Create(CultureInfo.InvariantCulture, $"q{number}");
    private Process? _line;

    public Task UnplugAsync() => @switch.RunAsync($"ip link set {_here} nomaster");

    /// <summary>A plain line again, whatever it was.</summary>
    public async Task PlugInAsync()
    {
        if (_line is not null)
        {
            _line.Kill();
            await _line.WaitForExitAsync();
            _line.Dispose();
            _line = null;
            await @switch.RunAsync($"ip link del {_there}");
        }

        await @switch.RunAsync($"ip link set {_here} master br0");
    }

    /// <param name="lost">The share of what the host sends that is lost; what it is sent arrives.</param>
    /// <param name="late">How much later the rest of it arrives.</param>
    public async Task SpoilAsync(double lost, TimeSpan late)
    {
        await @switch.RunAsync($"ip link add {_there} type veth peer name {_there}b && ip link set {_there}b master br0 up && ip link set {_there} up promisc on && ip link set {_here} promisc on");
        string[] line = [.. @switch.NetworkPrefix, "python3", "-c", Line, _here, _there,
            lost.ToString(CultureInfo.InvariantCulture), late.TotalSeconds.ToString(CultureInfo.InvariantCulture)];
        var start = new ProcessStartInfo(line[0], line[1..]) { RedirectStandardOutput = true };
        start.Environment[Leftovers.Marker] = @switch.Directory;
        _line = Process.Start(start)!;
        if (await _line.StandardOutput.ReadLineAsync() != "ready")
            throw new InvalidOperationException($"the line of {_here} could not be led through python3");
        await @switch.RunAsync($"ip link set {_here} nomaster");
    }
}

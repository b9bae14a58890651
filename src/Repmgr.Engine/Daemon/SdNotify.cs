using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Repmgr.Engine.Daemon;

/// <summary>Tells systemd how the daemon is: <c>sd_notify(3)</c>'s datagrams. Without systemd it does nothing.</summary>
/// <remarks>https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html</remarks>
public sealed class SdNotify : IDisposable
{
    private readonly Socket? _socket;
    private readonly UnixDomainSocketEndPoint? _manager;

    /// <param name="address"><c>NOTIFY_SOCKET</c>: a path, or a name in the abstract space that begins with <c>@</c>; null without systemd.</param>
    /// <param name="watchdogEvery">How often <see cref="Alive"/> is to be called at the least; null when nobody watches.</param>
    public SdNotify(string? address, TimeSpan? watchdogEvery)
    {
        WatchdogEvery = watchdogEvery;
        if (string.IsNullOrEmpty(address))
            return;
        _manager = new UnixDomainSocketEndPoint(address[0] == '@' ? string.Concat("\0", address.AsSpan(1)) : address);
        _socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
    }

    /// <summary>Reads <c>NOTIFY_SOCKET</c>, <c>WATCHDOG_USEC</c> and <c>WATCHDOG_PID</c>.</summary>
    public static SdNotify FromEnvironment(Func<string, string?> environment)
    {
        TimeSpan? watchdog = null;
        if (long.TryParse(environment("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out long microseconds)
            && IsForUs(environment("WATCHDOG_PID")))
        {
            // Half of the limit, as sd_watchdog_enabled(3) advises.
            watchdog = TimeSpan.FromMicroseconds(microseconds / 2);
        }

        return new SdNotify(environment("NOTIFY_SOCKET"), watchdog);
    }

    public TimeSpan? WatchdogEvery { get; }

    public void Ready(string status) => Send($"READY=1\nSTATUS={status}");

    public void Status(string status) => Send($"STATUS={status}");

    /// <summary>A reload begins; <see cref="Ready"/> ends it.</summary>
    // Stopwatch counts nanoseconds of CLOCK_MONOTONIC on Linux, which is the clock systemd asks for.
    public void Reloading() => Send(string.Create(CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1_000_000)}"));

    public void Stopping() => Send("STOPPING=1");

    /// <summary>Resets the watchdog. Called by the loop that decides, and by nothing else: when it stalls, systemd restarts the daemon.</summary>
    public void Alive()
    {
        if (WatchdogEvery is not null)
            Send("WATCHDOG=1");
    }

    public void Dispose() => _socket?.Dispose();

    private static bool IsForUs(string? pid) =>
        string.IsNullOrEmpty(pid) || pid == Environment.ProcessId.ToString(CultureInfo.InvariantCulture);

    private void Send(string message)
    {
        if (_socket is null)
            return;
        try
        {
            _socket.SendTo(Encoding.UTF8.GetBytes(message), _manager!);
        }
        catch (SocketException)
        {
            // systemd is restarting or its queue is full. The message is advice; the next one will tell it.
        }
    }
}

using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Repmgr.Core.Failover;
using Repmgr.Core.Problems;
using Repmgr.Engine.Logging;

namespace Repmgr.Engine.Failover;

/// <summary>The agent's end of the guard: starts it, tells it, hears its echoes. A guard that is gone or frozen is replaced.</summary>
/// <param name="program">This program, which guards when it is told to.</param>
/// <param name="stateDirectory">Where its socket lies.</param>
/// <param name="dataDirectory">What it guards.</param>
/// <param name="watchdog">Which one the guard is to have to begin with; null: none.</param>
/// <param name="silentAfter">A guard that answers nothing for so long is replaced.</param>
/// <param name="heard">Hears each echo: the guard's deadline, and when it was sent.</param>
/// <param name="log">Hears of replacements.</param>
internal sealed class GuardLink(
    string program, string stateDirectory, string dataDirectory, WatchdogOrder? watchdog, TimeSpan silentAfter, Action<TimeSpan?, TimeSpan> heard, ILog log) : IDisposable
{
    private static readonly TimeSpan ConnectWithin = TimeSpan.FromSeconds(5), LeaveWithin = TimeSpan.FromSeconds(0.3);

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _end = new();
    private Socket? _socket;
    private TimeSpan? _unansweredSince;
    private bool _replaced;
    private long _deadline = GuardProcess.Nothing;
    private long _paused = GuardProcess.Nothing;
    private volatile WatchdogOrder? _watchdog = watchdog;
    private long _watchdogState = WatchdogState.None;

    /// <summary>A device resets the host when agent and guard are lost together.</summary>
    public bool HasWatchdog => Volatile.Read(ref _watchdogState) >= 0;

    /// <summary>Connects, starting a guard where there is none, and keeps doing so on a thread of its own.</summary>
    public void Start() => new Thread(Keep) { IsBackground = true, Name = "guard link" }.Start();

    /// <summary>Never waits: an order that cannot be sent is as good as one to a guard that is not there.</summary>
    public void Tell(GuardOrder order)
    {
        long paused = Nanoseconds(order.PausedUntil);
        if (order.IsOver)
            Send(GuardProcess.Over, GuardProcess.Nothing, 0);
        if (order.Deadline is not null)
            Send(GuardProcess.Arm, Nanoseconds(order.Deadline), paused);
        else if (!order.IsOver)
            Send(GuardProcess.Ask, GuardProcess.Nothing, paused);
    }

    private static long Nanoseconds(TimeSpan? instant) => instant is { } at ? at.Ticks * TimeSpan.NanosecondsPerTick : GuardProcess.Nothing;

    /// <summary>Leases last longer or shorter from now on: a guard that has another watchdog is replaced by one that has this (docs/adr/0111).</summary>
    public void Use(WatchdogOrder? order)
    {
        _watchdog = order;
        Volatile.Write(ref _watchdogState, WatchdogState.None);
    }

    /// <summary>A guard that was asked and does not answer is killed: one that is frozen would fence for a lease of long ago when it goes on.</summary>
    public void Check(TimeSpan now)
    {
        lock (_lock)
        {
            if (_socket is null || _unansweredSince is not { } since || now - since < silentAfter)
                return;
            Kill(_socket);
            _socket.Dispose();
            _socket = null;
            _unansweredSince = null;
        }

        log.Warning("the guard does not answer, and is replaced", "It is the process that takes the server out of service should this one be unable to.");
    }

    public void Dispose()
    {
        _end.Cancel();
        lock (_lock)
        {
            _socket?.Dispose();
            _socket = null;
        }
    }

    private void Send(long kind, long deadline, long paused)
    {
        Span<long> message = [kind, deadline, paused];
        lock (_lock)
        {
            if (kind == GuardProcess.Over)
                (_deadline, _paused) = (GuardProcess.Nothing, GuardProcess.Nothing);
            _deadline = Math.Max(_deadline, deadline);
            _paused = paused >= 0 ? paused : _paused;
            if (_socket is not null)
                _unansweredSince ??= BootClock.Now;
            try
            {
                _socket?.Send(MemoryMarshal.AsBytes(message), SocketFlags.None);
            }
            catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
            {
                // The thread that reads notices it too, and connects anew.
            }
        }
    }

    private void Keep()
    {
        byte[] echo = new byte[GuardProcess.EchoBytes];
        while (!_end.IsCancellationRequested)
        {
            if (Connect() is not { } socket)
            {
                _end.Token.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(500));
                continue;
            }

            try
            {
                int received;
                while ((received = socket.Receive(echo)) == echo.Length && Hear(MemoryMarshal.Cast<byte, long>(echo)))
                {
                }

                if (received > 0)
                    Replace(socket, received == echo.Length);
            }
            catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
            {
                // As when it ends in good order: it is started anew.
            }

            lock (_lock)
            {
                if (_socket == socket)
                    _socket = null;
            }

            socket.Dispose();
        }
    }

    /// <returns>False: it is not the guard that this agent is to have.</returns>
    private bool Hear(ReadOnlySpan<long> echo)
    {
        if (echo[4] != WatchdogOrder.TagOf(_watchdog?.Argument))
        {
            // It may have been told by an agent before this one, whose lease goes on (R14).
            lock (_lock)
                (_deadline, _paused) = (Math.Max(_deadline, echo[0]), echo[2]);
            return false;
        }

        Know(echo[3]);
        TimeSpan sent = new(echo[1] / TimeSpan.NanosecondsPerTick);
        lock (_lock)
            _unansweredSince = null;
        heard(echo[0] == GuardProcess.Nothing ? null : new TimeSpan(echo[0] / TimeSpan.NanosecondsPerTick), sent);
        return true;
    }

    private void Know(long state)
    {
        if (_watchdog is not { } device || Interlocked.Exchange(ref _watchdogState, state) == state)
            return;
        if (state < 0)
            log.Write(Severity.Error, device.Unusable(state));
        else if (state > 0)
            log.Notice($"watchdog_device \"{device.Path}\" resets this host when it is not fed for {state / 1_000_000_000} s while its server may write");
        else
            log.Notice($"watchdog_device \"{device.Path}\" is a FIFO: whoever reads it has to reset this host when nothing comes for {device.Fires.TotalSeconds} s after the first byte, but for a V");
    }

    /// <summary>A guard that was begun otherwise: with another watchdog, or by another version. What it was told, the next one is told.</summary>
    private void Replace(Socket socket, bool isOfThisVersion)
    {
        log.Notice("the guard is replaced by one that does as repmgr.conf says now");
        if (isOfThisVersion)
            socket.Send(MemoryMarshal.AsBytes<long>([GuardProcess.Leave, GuardProcess.Nothing, GuardProcess.Nothing]), SocketFlags.None);
        else
            Kill(socket);
        AwaitEnd(socket);
        // It is not gone by itself.
        _replaced = false;
    }

    /// <summary>A guard that is asked for another connection before it has read that it is to leave drops that with the old one, and stays.</summary>
    private static void AwaitEnd(Socket socket)
    {
        byte[] rest = new byte[GuardProcess.EchoBytes];
        socket.ReceiveTimeout = (int)LeaveWithin.TotalMilliseconds;
        try
        {
            while (socket.Receive(rest) > 0)
            {
            }
        }
        catch (SocketException)
        {
            Kill(socket);
        }
    }

    private Socket? Connect()
    {
        if (TryConnect() is { } there)
            return there;
        if (_replaced && !_end.IsCancellationRequested)
            log.Warning("the guard is gone, and is started anew");
        _replaced = true;
        try
        {
            using var guard = Process.Start(new ProcessStartInfo(program, [GuardProcess.Argument, stateDirectory, dataDirectory, .. _watchdog is { } device ? new[] { device.Argument } : []]) { UseShellExecute = false });
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            log.Error("the guard cannot be started", e.Message, "Without it no lease is held, so that no server takes writes.");
            return null;
        }

        TimeSpan began = BootClock.Now;
        while (BootClock.Now - began < ConnectWithin && !_end.IsCancellationRequested)
        {
            if (TryConnect() is { } socket)
                return socket;
            _end.Token.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(5));
        }

        return null;
    }

    private Socket? TryConnect()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(GuardProcess.SocketIn(stateDirectory)));
            socket.SendTimeout = 50;
            lock (_lock)
            {
                // What the one before it was told holds for this one, too.
                if (_deadline >= 0 || _paused >= 0)
                    socket.Send(MemoryMarshal.AsBytes<long>([GuardProcess.Arm, _deadline, _paused]), SocketFlags.None);
                _unansweredSince = null;
                _socket = socket;
                _replaced = true;
            }

            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }

    // SO_PEERCRED: https://man7.org/linux/man-pages/man7/unix.7.html
    private static void Kill(Socket socket)
    {
        Span<int> credentials = stackalloc int[3];
        if (socket.GetRawSocketOption(1, 17, MemoryMarshal.AsBytes(credentials)) >= sizeof(int) && credentials[0] > 1)
            _ = ProcessSweep.Send(credentials[0], ProcessSweep.SigKill);
    }
}

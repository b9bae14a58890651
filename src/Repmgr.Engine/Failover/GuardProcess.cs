using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Repmgr.Engine.Failover;

/// <summary>
/// The guard (R4): a process of its own that takes the server out of service at the instant it was told last, unless it is told a later
/// one. It outlives the agent, and its loop allocates nothing and waits for nothing but the clock and its one socket.
/// </summary>
/// <remarks>
/// An order is three 64-bit numbers: a kind, the deadline, and until when the cluster is paused (R14), in nanoseconds of the boot clock; -1 where nothing is
/// said of it. The echo is five: the deadline, or -1, the guard's present, the end of the pause, what its watchdog is like (<see cref="WatchdogState"/>), and which it was begun with. https://man7.org/linux/man-pages/man2/timerfd_create.2.html
/// </remarks>
public static unsafe partial class GuardProcess
{
    /// <summary>Before the arguments: the state directory, the data directory, and where there is one the watchdog.</summary>
    public const string Argument = "--guard";

    /// <summary>Kinds of orders. The last: another guard is to take over, at once.</summary>
    internal const long Ask = 0, Arm = 1, Over = 2, Leave = 3;

    internal const long Nothing = -1;
    internal const int MessageBytes = 24, EchoBytes = 40;

    private const short Readable = 1;
    private const int WithoutAgentMilliseconds = 20_000;

    internal static string SocketIn(string stateDirectory) => Path.Combine(stateDirectory, "guard.sock");

    /// <summary>Guards until there is neither an agent nor a deadline.</summary>
    public static int Run(string stateDirectory, string dataDirectory, string? watchdog)
    {
        Daemon.Native.NewSession();
        _ = Name(15, "repmgrd-guard");
        byte[] directory = ProcessSweep.Canonical(dataDirectory);
        string path = SocketIn(stateDirectory);
        File.Delete(path);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        listener.Listen(4);
        Daemon.Native.DetachStandardStreams(keepStandardError: false);
        WatchdogDevice? device = watchdog is null ? null : WatchdogOrder.Read(watchdog)?.Device();
        device?.Try();
        GC.Collect();
        Loop((int)listener.Handle, directory, device, WatchdogOrder.TagOf(watchdog));
        return 0;
    }

    internal static void Loop(int listener, byte[] directory, WatchdogDevice? watchdog, long tag)
    {
        int timer = TimerCreate(BootClock.Number, 0x80000);
        int agent = -1;
        long deadline = Nothing;
        long paused = 0;
        PollFile* files = stackalloc PollFile[3];
        long* message = stackalloc long[5];
        while (true)
        {
            bool isIdle = agent < 0 && deadline == Nothing && watchdog?.IsOpen != true;
            files[0] = new PollFile { File = timer, Events = Readable };
            files[1] = new PollFile { File = listener, Events = Readable };
            files[2] = new PollFile { File = agent, Events = Readable };
            Set(timer, Wakes(FencesAt(deadline, paused), watchdog));
            int woken = Poll(files, 3, isIdle ? WithoutAgentMilliseconds : -1);
            if (deadline != Nothing && BootClock.Nanoseconds >= FencesAt(deadline, paused))
            {
                Fence(directory);
                deadline = Nothing;
                paused = 0;
                watchdog?.Close();
            }

            if (woken == 0 && isIdle)
                break;
            FeedIfDue(watchdog, FencesAt(deadline, paused));
            if (files[1].Returned != 0)
            {
                int next = Accept(listener, null, null);
                if (next >= 0 && agent >= 0)
                    _ = Close(agent);
                agent = next >= 0 ? next : agent;
                continue;
            }

            if (agent < 0 || files[2].Returned == 0)
                continue;
            if (Receive(agent, message, MessageBytes, 0x40) != MessageBytes)
            {
                _ = Close(agent);
                agent = -1;
                continue;
            }

            if (message[0] == Leave)
                break;
            paused = message[0] == Over ? 0 : message[2] >= 0 ? message[2] : paused;
            deadline = Next(deadline, message[0], message[1]);
            Watch(watchdog, FencesAt(deadline, paused));
            message[0] = deadline;
            message[1] = BootClock.Nanoseconds;
            message[2] = paused;
            message[3] = watchdog?.State ?? WatchdogState.None;
            message[4] = tag;
            _ = Send(agent, message, EchoBytes, 0x4040);
        }

        watchdog?.Close();
        _ = Close(timer);
        if (agent >= 0)
            _ = Close(agent);
    }

    private static long FencesAt(long deadline, long paused) => deadline == Nothing ? Nothing : Math.Max(deadline, paused);

    private static long Wakes(long fencesAt, WatchdogDevice? watchdog)
    {
        long feeds = watchdog?.NextFeed(fencesAt) ?? Nothing;
        return feeds == Nothing ? fencesAt : fencesAt == Nothing ? feeds : Math.Min(feeds, fencesAt);
    }

    /// <summary>Only a server that may write is to be ended with its host.</summary>
    private static void Watch(WatchdogDevice? watchdog, long fencesAt)
    {
        if (watchdog is null)
            return;
        if (fencesAt == Nothing)
        {
            watchdog.Close();
            return;
        }

        // At each order, so that there is time to replace a guard that is frozen.
        watchdog.Open();
        watchdog.Feed(BootClock.Nanoseconds, fencesAt);
    }

    private static void FeedIfDue(WatchdogDevice? watchdog, long fencesAt)
    {
        if (watchdog is null || watchdog.NextFeed(fencesAt) is not (>= 0 and var due))
            return;
        long now = BootClock.Nanoseconds;
        if (now >= due)
            watchdog.Feed(now, fencesAt);
    }

    /// <summary>A deadline only ever moves away, until it is over.</summary>
    private static long Next(long deadline, long kind, long value) => kind switch
    {
        Over => Nothing,
        Arm when value > deadline => value,
        _ => deadline,
    };

    /// <summary>Until a scan finds no process of the server; one that cannot be made finds nothing out. A start in between would be one of a standby (R5).</summary>
    private static void Fence(byte[] directory)
    {
        while (ProcessSweep.Signal(directory, ProcessSweep.SigKill, ProcessSweep.Postmaster(directory)) != 0)
            _ = Poll(null, 0, 1);
    }

    private static void Set(int timer, long deadline)
    {
        // struct itimerspec: the interval, then the instant; all zero disarms it.
        long* when = stackalloc long[4];
        if (deadline != Nothing)
        {
            when[2] = deadline / 1_000_000_000;
            when[3] = deadline % 1_000_000_000;
        }

        _ = TimerSet(timer, 1, when, null);
    }

    [LibraryImport("libc", EntryPoint = "prctl", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Name(int option, string name);

    [LibraryImport("libc", EntryPoint = "poll")]
    internal static partial int Poll(PollFile* files, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "timerfd_create")]
    private static partial int TimerCreate(int clock, int flags);

    [LibraryImport("libc", EntryPoint = "timerfd_settime")]
    private static partial int TimerSet(int timer, int flags, long* when, long* before);

    [LibraryImport("libc", EntryPoint = "accept")]
    private static partial int Accept(int listener, void* address, void* length);

    [LibraryImport("libc", EntryPoint = "recv")]
    private static partial nint Receive(int socket, void* message, nint room, int flags);

    [LibraryImport("libc", EntryPoint = "send")]
    private static partial nint Send(int socket, void* message, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);

    [StructLayout(LayoutKind.Sequential)]
    internal struct PollFile
    {
        public int File;
        public short Events;
        public short Returned;
    }
}

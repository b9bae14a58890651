using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Repmgr.Engine.Failover;

/// <summary>
/// The guard (R4): a process of its own that takes the server out of service at the instant it was told last, unless it is told a later
/// one. It outlives the agent, and its loop allocates nothing and waits for nothing but the clock and its one socket.
/// </summary>
/// <remarks>
/// An order is three 64-bit numbers: a kind, the deadline, and until when the cluster is paused (R14), in nanoseconds of the boot clock; -1 where nothing is
/// said of it. The echo is three: the deadline, or -1, the guard's present, and the end of the pause. https://man7.org/linux/man-pages/man2/timerfd_create.2.html
/// </remarks>
public static unsafe partial class GuardProcess
{
    /// <summary>Before the arguments: the state directory and the data directory.</summary>
    public const string Argument = "--guard";

    internal const long Ask = 0, Arm = 1, Over = 2, Nothing = -1;
    internal const int MessageBytes = 24;

    private const short Readable = 1;
    private const int WithoutAgentMilliseconds = 20_000;

    internal static string SocketIn(string stateDirectory) => Path.Combine(stateDirectory, "guard.sock");

    /// <summary>Guards until there is neither an agent nor a deadline.</summary>
    public static int Run(string stateDirectory, string dataDirectory)
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
        GC.Collect();
        Loop((int)listener.Handle, directory);
        return 0;
    }

    private static void Loop(int listener, byte[] directory)
    {
        int timer = TimerCreate(BootClock.Number, 0x80000);
        int agent = -1;
        long deadline = Nothing;
        long paused = 0;
        PollFile* files = stackalloc PollFile[3];
        long* message = stackalloc long[3];
        while (true)
        {
            files[0] = new PollFile { File = timer, Events = Readable };
            files[1] = new PollFile { File = listener, Events = Readable };
            files[2] = new PollFile { File = agent, Events = Readable };
            int woken = Poll(files, 3, agent < 0 && deadline == Nothing ? WithoutAgentMilliseconds : -1);
            if (deadline != Nothing && BootClock.Nanoseconds >= Math.Max(deadline, paused))
            {
                Fence(directory);
                deadline = Nothing;
                paused = 0;
                Set(timer, deadline);
            }

            if (woken == 0 && agent < 0 && deadline == Nothing)
                return;
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

            paused = message[0] == Over ? 0 : message[2] >= 0 ? message[2] : paused;
            deadline = Next(deadline, message[0], message[1]);
            Set(timer, deadline == Nothing ? Nothing : Math.Max(deadline, paused));
            message[0] = deadline;
            message[1] = BootClock.Nanoseconds;
            message[2] = paused;
            _ = Send(agent, message, MessageBytes, 0x4040);
        }
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

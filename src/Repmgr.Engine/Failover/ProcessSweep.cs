using System.Runtime.InteropServices;

namespace Repmgr.Engine.Failover;

/// <summary>
/// Finds the processes of a server by their working directory, which for all of them is the data directory
/// (ChangeToDataDir in src/backend/utils/init/miscinit.c), and sends them signals. Backends commit on after their postmaster was killed, so
/// that its death alone takes no server out of service. Allocates nothing: the guard uses it too.
/// </summary>
/// <remarks>A process that is no PostgreSQL program, an operator's shell for instance, is left alone: it commits nothing.</remarks>
internal static unsafe partial class ProcessSweep
{
    public const int SigKill = 9, SigQuit = 3, SigTerm = 15, SigInt = 2;

    private const int PathRoom = 4096, StatusRoom = 4096;

    private static ReadOnlySpan<byte> Program => "postgres"u8;

    private static ReadOnlySpan<byte> Proc => "/proc"u8;

    /// <summary>A path as the kernel names it, without links on the way, and with the zero that ends it.</summary>
    public static byte[] Canonical(string directory)
    {
        byte* resolved = stackalloc byte[PathRoom];
        if (RealPath(directory, resolved) == null)
            throw new IOException($"\"{directory}\" cannot be looked at: {Daemon.Native.LastError()}");
        return [.. MemoryMarshal.CreateReadOnlySpanFromNullTerminated(resolved), 0];
    }

    /// <summary>Sends a signal to every process of the server; 0 only counts them.</summary>
    /// <param name="directory">From <see cref="Canonical"/>.</param>
    /// <param name="signal">Which.</param>
    /// <param name="first">The postmaster, which is to be gone before it starts anything anew; 0: not known.</param>
    /// <returns>
    /// How many there were that may still do something, which one does not that was killed and waits in the kernel (R3, [26]); -1 when nobody can tell, because <c>/proc</c>
    /// cannot be read (no file descriptor is free, for instance).
    /// </returns>
    public static int Signal(ReadOnlySpan<byte> directory, int signal, int first) => Signal(Proc, directory, signal, first).Acting;

    /// <summary>How many there are, those that were killed and wait in the kernel among them: until they are gone, they may finish what they had begun to write. -1: nobody can tell.</summary>
    public static int Left(ReadOnlySpan<byte> directory) => Signal(Proc, directory, 0, 0).All;

    /// <param name="proc">Where the processes are listed.</param>
    internal static (int Acting, int All) Signal(ReadOnlySpan<byte> proc, ReadOnlySpan<byte> directory, int signal, int first)
    {
        if (first > 0 && IsOfServer(proc, first, directory))
            _ = Kill(first, signal);
        byte* path = stackalloc byte[PathRoom];
        _ = Compose(path, proc, 0, default);
        void* listing = OpenDir(path);
        if (listing == null)
            return (-1, -1);
        int acting = 0, all = 0;
        byte* entry;
        while ((entry = ReadDirectory(listing)) != null)
        {
            // struct dirent of 64-bit Linux: the name begins at byte 19.
            int pid = Number(entry + 19);
            if (pid <= 0 || !IsOfServer(proc, pid, directory))
                continue;
            all++;
            if (signal != 0)
                _ = Kill(pid, signal);
            if (!IsKilledAndWaits(proc, pid))
                acting++;
        }

        _ = CloseDirectory(listing);
        return (acting, all);
    }

    /// <summary>The process id in <c>postmaster.pid</c>; 0 when there is none.</summary>
    public static int Postmaster(ReadOnlySpan<byte> directory)
    {
        byte* path = stackalloc byte[PathRoom + 32];
        int length = directory.Length - 1;
        directory[..length].CopyTo(new Span<byte>(path, PathRoom));
        "/postmaster.pid\0"u8.CopyTo(new Span<byte>(path + length, 32));
        int file = Open(path, 0x80000);
        if (file < 0)
            return 0;
        byte* text = stackalloc byte[24];
        nint read = Read(file, text, 23);
        _ = Close(file);
        text[Math.Max(0, read)] = 0;
        return Number(text);
    }

    public static bool Send(int pid, int signal) => Kill(pid, signal) == 0;

    private static bool IsOfServer(ReadOnlySpan<byte> proc, int pid, ReadOnlySpan<byte> directory)
    {
        byte* path = stackalloc byte[PathRoom];
        byte* target = stackalloc byte[PathRoom];
        nint length = ReadLink(Compose(path, proc, pid, "/cwd"u8), target, PathRoom);
        if (length < 0 || !new ReadOnlySpan<byte>(target, (int)length).SequenceEqual(directory[..^1]))
            return false;
        length = ReadLink(Compose(path, proc, pid, "/exe"u8), target, PathRoom);
        if (length < 0)
            return true;
        // "/usr/lib/postgresql/15/bin/postgres", with " (deleted)" behind it after an upgrade.
        ReadOnlySpan<byte> program = new(target, (int)length);
        return program[(program.LastIndexOf((byte)'/') + 1)..].StartsWith(Program);
    }

    /// <summary>In uninterruptible sleep, with SIGKILL pending: when the kernel is done with what it waits for, the process ends without having executed anything more.</summary>
    /// <remarks>https://man7.org/linux/man-pages/man5/proc_pid_status.5.html</remarks>
    private static bool IsKilledAndWaits(ReadOnlySpan<byte> proc, int pid)
    {
        byte* path = stackalloc byte[PathRoom];
        int file = Open(Compose(path, proc, pid, "/status"u8), 0x80000);
        if (file < 0)
            return false;
        byte* text = stackalloc byte[StatusRoom];
        nint read = Read(file, text, StatusRoom);
        _ = Close(file);
        ReadOnlySpan<byte> status = new(text, (int)Math.Max(0, read));
        int state = status.IndexOf("\nState:\tD"u8);
        return state >= 0 && (IsKillIn(status, "\nSigPnd:\t"u8) || IsKillIn(status, "\nShdPnd:\t"u8));
    }

    /// <summary>SIGKILL is the ninth bit of sixteen hexadecimal digits.</summary>
    private static bool IsKillIn(ReadOnlySpan<byte> status, ReadOnlySpan<byte> line)
    {
        int at = status.IndexOf(line);
        if (at < 0 || status.Length < at + line.Length + 16)
            return false;
        byte digit = status[at + line.Length + 13];
        return ((digit <= (byte)'9' ? digit - '0' : digit - 'a' + 10) & 1) != 0;
    }

    /// <summary>A path below the list of processes, with the zero that ends it; 0: that of the list.</summary>
    private static byte* Compose(byte* path, ReadOnlySpan<byte> proc, int pid, ReadOnlySpan<byte> name)
    {
        Span<byte> room = new(path, PathRoom);
        proc.CopyTo(room);
        int length = proc.Length;
        if (pid > 0)
        {
            room[length++] = (byte)'/';
            _ = pid.TryFormat(room[length..], out int digits, default, System.Globalization.CultureInfo.InvariantCulture);
            length += digits;
        }

        name.CopyTo(room[length..]);
        room[length + name.Length] = 0;
        return path;
    }

    private static int Number(byte* text)
    {
        int number = 0;
        byte* at = text;
        for (; *at is >= (byte)'0' and <= (byte)'9' && number < 100_000_000; at++)
            number = (number * 10) + (*at - '0');
        return at > text && *at is 0 or (byte)'\n' ? number : 0;
    }

    [LibraryImport("libc", EntryPoint = "realpath", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial byte* RealPath(string path, byte* resolved);

    [LibraryImport("libc", EntryPoint = "opendir")]
    private static partial void* OpenDir(byte* path);

    [LibraryImport("libc", EntryPoint = "readdir")]
    private static partial byte* ReadDirectory(void* listing);

    [LibraryImport("libc", EntryPoint = "closedir")]
    private static partial int CloseDirectory(void* listing);

    [LibraryImport("libc", EntryPoint = "readlink")]
    private static partial nint ReadLink(byte* path, byte* target, nint room);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "open")]
    private static partial int Open(byte* path, int flags);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint Read(int file, byte* text, nint room);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);
}

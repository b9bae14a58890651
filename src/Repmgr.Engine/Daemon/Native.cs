using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Repmgr.Engine.Daemon;

/// <summary>The few calls of the C library a daemon needs and .NET does not offer.</summary>
internal static partial class Native
{
    // The same numbers on x64 and arm64: https://github.com/torvalds/linux/blob/master/include/uapi/asm-generic/fcntl.h
    public const int WriteOnly = 0x1;
    public const int ReadWrite = 0x2;
    public const int Create = 0x40;
    public const int Append = 0x400;
    private const int CloseOnExec = 0x80000;

    /// <summary>O_NOFOLLOW: a link planted under a name that can be guessed is not followed. Not the same number everywhere.</summary>
    public static readonly int NoFollow = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x20000;

    public const int SigHup = 1;
    public const int SigInt = 2;
    public const int SigTerm = 15;
    private const nint DefaultAction = 0;
    private const nint IgnoreSignal = 1;

    private const int SetOpenFileLock = 37;
    private const short WriteLock = 1;

    /// <summary>Opens a file without .NET's own advisory lock.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static SafeFileHandle OpenFile(string path, int flags, int mode)
    {
        int descriptor = Open(path, flags | CloseOnExec, mode);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw new IOException(LastError());
    }

    /// <summary>Locks the whole file for as long as it is open; false when another open file has the lock.</summary>
    /// <remarks>
    /// An open file description lock (F_OFD_SETLK): unlike flock(2) it does not collide with .NET, which would refuse to read a
    /// file that is locked so. https://man7.org/linux/man-pages/man2/F_GETLK.2const.html
    /// </remarks>
    public static bool TryLock(SafeFileHandle file)
    {
        var whole = new FileLock { Type = WriteLock };
        return Fcntl(file, SetOpenFileLock, ref whole) == 0;
    }

    /// <summary>
    /// Makes signals count that are ignored, as nohup and shells that start something in the background have it: that is inherited, and
    /// .NET leaves what is ignored alone, whatever handlers are registered.
    /// </summary>
    public static void DoNotIgnore(params ReadOnlySpan<int> signals)
    {
        // Of struct sigaction only the first word is of interest, which is the handler everywhere; the rest is room enough.
        Span<nint> action = stackalloc nint[32];
        foreach (int signal in signals)
        {
            if (SigAction(signal, 0, ref action[0]) == 0 && action[0] == IgnoreSignal)
                _ = Signal(signal, DefaultAction);
        }
    }

    /// <summary>Leaves the terminal and the shell's process group.</summary>
    public static void NewSession() => _ = SetSid();

    /// <summary>Points standard input, output and error at <c>/dev/null</c>.</summary>
    /// <param name="keepStandardError">Standard error stays where it is: it is the log.</param>
    /// <remarks>The copies that the runtime made of them go too: one that stayed would keep the terminal or pipe open.</remarks>
    public static void DetachStandardStreams(bool keepStandardError)
    {
        using SafeFileHandle nothing = OpenFile("/dev/null", ReadWrite, mode: 0);
        string? kept = keepStandardError ? LinkOf("2") : null;
        string?[] gone = [LinkOf("0"), LinkOf("1"), LinkOf("2")];
        foreach (string path in Directory.GetFileSystemEntries("/proc/self/fd"))
        {
            string number = Path.GetFileName(path);
            if (LinkOf(number) is { } target && gone.Contains(target) && target != kept)
                _ = Dup2(nothing, int.Parse(number, CultureInfo.InvariantCulture));
        }
    }

    private static string? LinkOf(string descriptor)
    {
        try
        {
            return File.ResolveLinkTarget($"/proc/self/fd/{descriptor}", returnFinalTarget: false)?.FullName;
        }
        catch (IOException)
        {
            // Closed since it was listed: the listing had a descriptor of its own.
            return null;
        }
    }

    public static string LastError() => new Win32Exception(Marshal.GetLastPInvokeError()).Message;

    /// <summary>Ends the process here and now: no handler, no finalizer. https://man7.org/linux/man-pages/man2/_exit.2.html</summary>
    public static void ExitAtOnce(int code) => Exit(code);

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void Exit(int code);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Fcntl(SafeFileHandle file, int command, ref FileLock whole);

    [LibraryImport("libc", EntryPoint = "sigaction")]
    private static partial int SigAction(int signal, nint action, ref nint old);

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint Signal(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "setsid", SetLastError = true)]
    private static partial int SetSid();

    [LibraryImport("libc", EntryPoint = "dup2", SetLastError = true)]
    private static partial int Dup2(SafeFileHandle from, int to);

    /// <summary><c>struct flock</c> as it is on 64-bit Linux; all zero but the type means the whole file.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct FileLock
    {
        public short Type;
        public short Whence;
        public long Start;
        public long Length;
        public int Pid;
    }
}

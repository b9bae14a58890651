using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Repmgr.Engine.Files;

/// <summary>The few calls of the operating system, on files for the most part, that the base library does not offer.</summary>
internal static partial class NativeFile
{
    private const int ReadOnly = 0;
    private const uint WriteOut = 2; // SYNC_FILE_RANGE_WRITE
    private const int AtWorkingDirectory = -100;
    private const int WriteAndSearch = 2 | 1;
    private const int EffectiveIds = 0x200;
    private const uint MaskOwnerGroupAndInode = 0x8 | 0x10 | 0x100;

    /// <summary>Kinds of files.</summary>
    public const int KindOfFifo = 0x1000, KindOfCharacterDevice = 0x2000;

    private const int KindBits = 0xF000, EmptyPath = 0x1000;
    private const uint MaskType = 1;

    /// <summary>Makes what a directory lists durable: files created, renamed or removed in it.</summary>
    /// <exception cref="IOException">It could not be opened or flushed.</exception>
    public static void FlushDirectory(string path) => Flush(path);

    /// <summary>Makes the content of a file or directory durable, also of one that may only be read or that somebody holds a lock on.</summary>
    /// <exception cref="IOException">It could not be opened or flushed.</exception>
    public static void Flush(string path)
    {
        int handle = Open(path, ReadOnly);
        if (handle < 0)
            throw Failure("open", path);
        try
        {
            if (Fsync(handle) != 0)
                throw Failure("fsync", path);
        }
        finally
        {
            _ = Close(handle);
        }
    }

    /// <summary>Has the kernel begin to write a file out. Nothing is durable by it, and nothing goes wrong by it that the flush would not find.</summary>
    public static void BeginToWriteOut(string path)
    {
        int handle = Open(path, ReadOnly);
        if (handle < 0)
            return;
        using var file = new SafeFileHandle(handle, ownsHandle: true);
        BeginToWriteOut(file, 0, 0); // to its end
    }

    /// <summary>Has the kernel begin to write a stretch of a file out, so that there is less to wait for when it is flushed. Nothing is durable by it.</summary>
    public static void BeginToWriteOut(SafeFileHandle file, long offset, long bytes) => _ = SyncFileRange(file, offset, bytes, WriteOut);

    /// <summary>Reads a file that somebody may hold a lock on: the base library asks for a lock of its own whenever it opens one.</summary>
    /// <exception cref="IOException">It could not be opened or read.</exception>
    public static string ReadText(string path)
    {
        int handle = Open(path, ReadOnly);
        if (handle < 0)
            throw Failure("open", path);
        using var reader = new StreamReader(new FileStream(new SafeFileHandle(handle, ownsHandle: true), System.IO.FileAccess.Read));
        return reader.ReadToEnd();
    }

    /// <summary>The numbers of the owner and the group of a file.</summary>
    /// <exception cref="IOException">There is no such file, or it may not be seen.</exception>
    public static (uint User, uint Group) Owner(string path)
    {
        if (Statx(AtWorkingDirectory, path, 0, MaskOwnerGroupAndInode, out StatxAnswer answer) != 0)
            throw Failure("stat", path);
        return (answer.User, answer.Group);
    }

    /// <summary>Whether two paths lead to the same file or directory; null when one of them may not be seen.</summary>
    public static bool? IsSame(string left, string right) =>
        Statx(AtWorkingDirectory, left, 0, MaskOwnerGroupAndInode, out StatxAnswer one) != 0
        || Statx(AtWorkingDirectory, right, 0, MaskOwnerGroupAndInode, out StatxAnswer other) != 0
            ? null
            : (one.Inode, one.DeviceMajor, one.DeviceMinor) == (other.Inode, other.DeviceMajor, other.DeviceMinor);

    /// <summary>What kind of file an open one is: the upper bits of <c>st_mode</c>; 0: that cannot be told.</summary>
    /// <remarks>https://man7.org/linux/man-pages/man7/inode.7.html</remarks>
    public static int KindOf(int handle) => Statx(handle, "", EmptyPath, MaskType, out StatxAnswer answer) == 0 ? answer.Mode & KindBits : 0;

    /// <exception cref="IOException">It could not be changed.</exception>
    public static void SetOwner(string path, uint user, uint group)
    {
        if (Chown(path, user, group) != 0)
            throw Failure("chown", path);
    }

    /// <summary>Whether this process may make and remove entries in a directory.</summary>
    public static bool MayWrite(string directory) => FileAccess(AtWorkingDirectory, directory, WriteAndSearch, EffectiveIds) == 0;

    /// <summary>The number of the user this process acts as.</summary>
    public static uint EffectiveUser() => GetEffectiveUser();

    /// <summary>A user's name for messages; the number when it has none.</summary>
    public static string UserName(uint user)
    {
        string number = user.ToString(System.Globalization.CultureInfo.InvariantCulture);
        try
        {
            return File.ReadLines("/etc/passwd").Select(line => line.Split(':'))
                .FirstOrDefault(fields => fields.Length > 2 && fields[2] == number)?[0] ?? number;
        }
        catch (IOException)
        {
            return number;
        }
    }

    /// <summary>Sends SIGHUP.</summary>
    /// <returns>False when there is no such process, or it is another user's.</returns>
    public static bool Hangup(int pid) => Kill(pid, 1) == 0;

    /// <summary>Whether there is such a process and this one may send it signals.</summary>
    public static bool MaySignal(int pid) => Kill(pid, 0) == 0;

    private static IOException Failure(string call, string path) =>
        new($"could not {call} \"{path}\": {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "faccessat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int FileAccess(int directory, string path, int mode, int flags);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUser();

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int handle);

    [LibraryImport("libc", EntryPoint = "sync_file_range")]
    private static partial int SyncFileRange(SafeFileHandle file, long offset, long bytes, uint flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int handle);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Chown(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int directory, string path, int flags, uint mask, out StatxAnswer answer);

    /// <summary>struct statx, which unlike struct stat is the same on every architecture: 256 bytes.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatxAnswer
    {
        [FieldOffset(20)]
        public uint User;

        [FieldOffset(24)]
        public uint Group;

        [FieldOffset(28)]
        public ushort Mode;

        [FieldOffset(32)]
        public ulong Inode;

        [FieldOffset(136)]
        public uint DeviceMajor;

        [FieldOffset(140)]
        public uint DeviceMinor;
    }
}

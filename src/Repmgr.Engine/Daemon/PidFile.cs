using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Repmgr.Core.Problems;

namespace Repmgr.Engine.Daemon;

/// <summary>What came of asking for a pid file.</summary>
public abstract record PidFileClaim
{
    private PidFileClaim() { }

    /// <summary>It is ours until it is disposed of, which removes it.</summary>
    public sealed record Taken(PidFile File) : PidFileClaim;

    /// <summary>A daemon that lives has it.</summary>
    /// <param name="Pid">Its number; null in the moment between taking the lock and writing it.</param>
    public sealed record Running(int? Pid) : PidFileClaim;

    /// <summary>It cannot be written.</summary>
    public sealed record Unwritable(Problem Problem) : PidFileClaim;
}

/// <summary>A file with the daemon's process id, locked for as long as the daemon lives.</summary>
/// <remarks>
/// The lock tells a living owner from a stale file: the kernel drops it when the process ends, however it ends.
/// repmgr 5.x's daemon takes no lock; its file counts as live when the process it names is called repmgrd and began before the
/// file was written, so that a number which the kernel has given to another process since does not count.
/// </remarks>
public sealed class PidFile : IDisposable
{
    // A process's start is known to a hundredth of a second, a file's time to its file system's precision.
    private static readonly TimeSpan ClockSlack = TimeSpan.FromSeconds(2);

    private readonly SafeFileHandle _file;

    private PidFile(string path, SafeFileHandle file) => (Path, _file) = (path, file);

    public string Path { get; }

    /// <summary>Takes the file, over a stale one too.</summary>
    public static PidFileClaim Claim(string path)
    {
        try
        {
            while (true)
            {
                SafeFileHandle file = Native.OpenFile(path, Native.ReadWrite | Native.Create | Native.NoFollow, mode: 0b110_100_100);
                DateTime written = File.GetLastWriteTimeUtc(file);
                int? named = ReadPid(file);
                if (!Native.TryLock(file))
                {
                    file.Dispose();
                    return new PidFileClaim.Running(named);
                }

                if (WasRemoved(file))
                {
                    file.Dispose();
                    continue;
                }

                if (named is { } pid && IsOldDaemon(pid, written))
                {
                    file.Dispose();
                    return new PidFileClaim.Running(pid);
                }

                Fill(file);
                return new PidFileClaim.Taken(new PidFile(path, file));
            }
        }
        catch (IOException failure)
        {
            return new PidFileClaim.Unwritable(new Problem(
                $"pid file \"{path}\" cannot be written",
                Detail: $"{failure.Message}.",
                Hint: "Set repmgrd_pid_file or --pid-file to a file that the user repmgrd runs as can create, or use --no-pid-file."));
        }
    }

    public void Dispose()
    {
        // Removed before the lock is dropped: who waits for the lock then finds the file gone and makes a new one.
        if (!_file.IsClosed)
            File.Delete(Path);
        _file.Dispose();
    }

    private static void Fill(SafeFileHandle file)
    {
        // Written over, then cut: who reads it meanwhile never finds it empty.
        byte[] text = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}\n"));
        RandomAccess.Write(file, text, fileOffset: 0);
        RandomAccess.SetLength(file, text.Length);
    }

    private static int? ReadPid(SafeFileHandle file)
    {
        Span<byte> bytes = stackalloc byte[32];
        int read = RandomAccess.Read(file, bytes, fileOffset: 0);
        ReadOnlySpan<byte> text = bytes[..read];
        int end = text.IndexOf((byte)'\n');
        return int.TryParse(end < 0 ? text : text[..end], NumberStyles.None, CultureInfo.InvariantCulture, out int pid) && pid > 0 ? pid : null;
    }

    private static bool WasRemoved(SafeFileHandle file) =>
        File.ResolveLinkTarget(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{file.DangerousGetHandle()}"), returnFinalTarget: false)
            ?.FullName.EndsWith(" (deleted)", StringComparison.Ordinal) ?? false;

    private static bool IsOldDaemon(int pid, DateTime written)
    {
        try
        {
            using Process process = Process.GetProcessById(pid);
            return pid != Environment.ProcessId
                && process.ProcessName == "repmgrd"
                && process.StartTime.ToUniversalTime() <= written + ClockSlack;
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException)
        {
            return false;
        }
    }
}

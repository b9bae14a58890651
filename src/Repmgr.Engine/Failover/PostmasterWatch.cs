using System.Runtime.InteropServices;

namespace Repmgr.Engine.Failover;

/// <summary>Notices in the same instant that a process ends.</summary>
/// <remarks>https://man7.org/linux/man-pages/man2/pidfd_open.2.html; without it (Linux before 5.3) the next look notices.</remarks>
internal static unsafe partial class PostmasterWatch
{
    private const int PidfdOpen = 434;

    /// <summary>Calls back, on a thread of its own, when the process has ended.</summary>
    /// <returns>False: it is not watched.</returns>
    public static bool When(int pid, Action ended)
    {
        int file = (int)SystemCall(PidfdOpen, pid, 0);
        if (file < 0)
            return false;
        new Thread(() => Wait(file, ended), maxStackSize: 128 * 1024) { IsBackground = true, Name = $"postmaster {pid}" }.Start();
        return true;
    }

    private static void Wait(int file, Action ended)
    {
        var wanted = new GuardProcess.PollFile { File = file, Events = 1 };
        while (GuardProcess.Poll(&wanted, 1, -1) < 1)
        {
        }

        _ = Close(file);
        ended();
    }

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint SystemCall(nint number, nint pid, nint flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);
}

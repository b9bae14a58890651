using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Repmgr.PostgresTests.Harness;

/// <summary>
/// Finds processes by the directory they work in, across process-id namespaces: a postmaster and its children work in their
/// data directory (https://www.postgresql.org/docs/current/server-start.html), and whatever else a test starts is started in,
/// or with a variable that names, the test's directory.
/// </summary>
internal static partial class Leftovers
{
    /// <summary>In the environment of everything that a test starts; its value is the test's directory.</summary>
    public const string Marker = "REPMGR_TEST_LAB";

    public const int SigKill = 9, SigStop = 19, SigCont = 18;

    /// <summary>The processes that work in this directory or below it, or whose environment names it.</summary>
    public static IReadOnlyList<int> In(string directory) =>
        [.. Directory.EnumerateDirectories("/proc")
            .Select(path => int.TryParse(Path.GetFileName(path), out int pid) ? pid : 0)
            .Where(pid => pid > 0 && pid != Environment.ProcessId && (WorksIn(pid, directory) || Names(pid, directory)))];

    /// <summary>Only servers' processes that work in exactly this directory. What copies into it may work there too.</summary>
    public static IReadOnlyList<int> OfServer(string dataDirectory) =>
        [.. Directory.EnumerateDirectories("/proc")
            .Select(path => int.TryParse(Path.GetFileName(path), out int pid) ? pid : 0)
            .Where(pid => pid > 0 && Cwd(pid) == dataDirectory && CommandOf(pid) == "postgres" && !IsZombie(pid))];

    /// <summary>SIGKILL to all of them, again until none is left.</summary>
    public static void Kill(string directory)
    {
        var clock = Stopwatch.StartNew();
        while (In(directory) is { Count: > 0 } pids && clock.Elapsed < TimeSpan.FromSeconds(10))
        {
            foreach (int pid in pids)
                _ = Send(pid, SigKill);
            Thread.Sleep(20);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Send(int pid, int signal);

    /// <summary>
    /// Makes this process the one that orphans fall to (https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html).
    /// A container's first process often does not wait for them, and PostgreSQL takes a postmaster that has ended, but that nobody
    /// has waited for, for a running one.
    /// </summary>
    public static void AdoptOrphans() => _ = Prctl(PrSetChildSubreaper, 1, 0, 0, 0);

    /// <summary>Waits for an orphan of ours that has ended, so that its entry goes. False if it is still there.</summary>
    public static bool IsGone(int pid)
    {
        _ = WaitPid(pid, 0, WNoHang);
        return !Directory.Exists($"/proc/{pid}");
    }

    /// <summary>
    /// Waits for the servers' processes that have ended and fallen to us. Only for those: what the tests start themselves is
    /// waited for by the base library, which would miss it; and they start no server but through <c>pg_ctl</c> and its kin.
    /// </summary>
    public static void WaitForEndedServers()
    {
        foreach (string path in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(path), out int pid) && IsZombie(pid) && CommandOf(pid) == "postgres")
                _ = WaitPid(pid, 0, WNoHang);
        }
    }

    /// <summary>
    /// Removes the System V segments of servers that were killed: each leaves one, and the kernel has room for some thousand. Its id
    /// stands in the seventh line of <c>postmaster.pid</c>: src/include/utils/pidfile.h.
    /// </summary>
    public static void RemoveSharedMemory(string directory)
    {
        foreach (string file in Directory.EnumerateFiles(directory, "postmaster.pid", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true }))
        {
            if (File.ReadLines(file).ElementAtOrDefault(6)?.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var id]
                && int.TryParse(id, System.Globalization.CultureInfo.InvariantCulture, out int segment))
                _ = SharedMemoryControl(segment, IpcRmid, 0);
        }
    }

    private const int PrSetChildSubreaper = 36, WNoHang = 1, IpcRmid = 0;

    [LibraryImport("libc", EntryPoint = "shmctl")]
    private static partial int SharedMemoryControl(int segment, int command, nint buffer);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Prctl(int option, nint arg2, nint arg3, nint arg4, nint arg5);

    [LibraryImport("libc", EntryPoint = "waitpid")]
    private static partial int WaitPid(int pid, nint status, int options);

    private static bool WorksIn(int pid, string directory) =>
        Cwd(pid) is { } cwd && IsOrIsBelow(cwd, directory) && !IsZombie(pid);

    // Lab 12 is not below lab 1.
    private static bool IsOrIsBelow(string path, string directory) =>
        path == directory || path.StartsWith(directory + "/", StringComparison.Ordinal);

    private static string? Cwd(int pid)
    {
        try
        {
            return new FileInfo($"/proc/{pid}/cwd").LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // Ended meanwhile, or another user's.
        }
    }

    private static string? CommandOf(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/comm").TrimEnd();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool Names(int pid, string directory)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/environ").Split('\0').Any(entry =>
                entry.StartsWith(Marker + "=", StringComparison.Ordinal) && IsOrIsBelow(entry[(Marker.Length + 1)..], directory));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>A process that has ended but that its parent has not yet waited for still has an entry.</summary>
    private static bool IsZombie(int pid)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat.AsSpan(stat.LastIndexOf(')') + 1).TrimStart().StartsWith("Z");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }
}

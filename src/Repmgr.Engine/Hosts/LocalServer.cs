using System.Globalization;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Engine.Files;

namespace Repmgr.Engine.Hosts;

/// <summary>Whether a server runs in a data directory on this machine.</summary>
public abstract record LocalServerState
{
    private LocalServerState() { }

    /// <param name="StalePid">The process id in a <c>postmaster.pid</c> that a crash left behind; null when there is none.</param>
    public sealed record NotRunning(int? StalePid) : LocalServerState;

    /// <param name="File">What it says of itself.</param>
    public sealed record Running(PostmasterFile File) : LocalServerState;
}

/// <summary>Looks at a server on this machine from outside, without connecting to it.</summary>
public static class LocalServer
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(10);

    /// <summary>Looks once. A pid file whose process is gone, or is some other program by now, does not count.</summary>
    public static LocalServerState Look(string dataDirectory)
    {
        PostmasterFile? file = ReadPostmasterFile(dataDirectory);
        if (file is null)
            return new LocalServerState.NotRunning(null);

        return file.Pid > 0 && IsPostmasterOf(file.Pid, dataDirectory)
            ? new LocalServerState.Running(file)
            : new LocalServerState.NotRunning(file.Pid);
    }

    /// <summary>Looks again and again until the state is as wanted.</summary>
    /// <returns>The last state seen, as wanted or not.</returns>
    public static async Task<LocalServerState> AwaitAsync(
        string dataDirectory, Func<LocalServerState, bool> wanted, TimeSpan within, CancellationToken cancel)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            LocalServerState state = Look(dataDirectory);
            if (wanted(state) || TimeProvider.System.GetElapsedTime(start) >= within)
                return state;
            await Task.Delay(LookEvery, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Makes a running server read its configuration again, as <c>pg_ctl reload</c> does.</summary>
    /// <returns>False when none runs there, or it is another user's.</returns>
    public static bool Reload(string dataDirectory) =>
        Look(dataDirectory) is LocalServerState.Running running && NativeFile.Hangup(running.File.Pid);

    /// <summary>
    /// Why the server in a data directory is not one that this process may act on in place of the one it is connected to: a connection
    /// string can lead to another host, where a server of the same cluster has the same port and the same paths.
    /// </summary>
    /// <param name="dataDirectory">The data directory.</param>
    /// <param name="backend">The process that serves the connection: a child of the server's first process.</param>
    public static Problem? WhyNotOurs(string dataDirectory, int backend)
    {
        try
        {
            if (Look(dataDirectory) is not LocalServerState.Running running || ParentOf(backend) != running.File.Pid)
            {
                return new Problem(
                    $"the server behind conninfo does not run in \"{dataDirectory}\" on this host",
                    "The process that serves the connection is no child of a server in that directory.");
            }

            return NativeFile.MaySignal(running.File.Pid)
                ? null
                : new Problem(
                    $"the server in \"{dataDirectory}\" belongs to another operating-system user",
                    $"It runs as \"{NativeFile.UserName(NativeFile.Owner(ProcPath(running.File.Pid, "")).User)}\", this command as \"{Environment.UserName}\".");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new Problem($"\"{dataDirectory}\" cannot be looked into", e.Message);
        }
    }

    /// <summary>The program file of a running server, from which its other programs are found; null when it may not be seen.</summary>
    public static string? ExecutableOf(int pid)
    {
        try
        {
            return File.ResolveLinkTarget(ProcPath(pid, "exe"), returnFinalTarget: false)?.FullName;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static PostmasterFile? ReadPostmasterFile(string dataDirectory)
    {
        try
        {
            return PostmasterFile.Parse(File.ReadAllText(Path.Combine(dataDirectory, PostmasterFile.FileName)));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    // A postmaster's working directory is its data directory (ChangeToDataDir in src/backend/utils/init/miscinit.c). Process
    // numbers are reused, after a reboot above all: a process with this number that works elsewhere is not our server.
    private static bool IsPostmasterOf(int pid, string dataDirectory)
    {
        if (!Directory.Exists("/proc/self"))
            return ProcessExists(pid);
        if (IsGone(pid))
            return false;
        return NativeFile.IsSame(ProcPath(pid, "cwd"), dataDirectory) ?? ProgramName(pid) is "postgres" or "postmaster";
    }

    private static bool IsGone(int pid) => StatOf(pid) is not [[not 'Z', ..], ..];

    private static int? ParentOf(int pid) =>
        StatOf(pid) is [_, var parent, ..] && int.TryParse(parent, NumberStyles.None, CultureInfo.InvariantCulture, out int found) ? found : null;

    /// <summary>The state of a process, its parent, and what follows in <c>/proc/PID/stat</c>; null when there is none.</summary>
    private static string[]? StatOf(int pid)
    {
        try
        {
            // "pid (name) state parent ...": the name may hold anything, so what follows is looked for behind the last parenthesis.
            string stat = File.ReadAllText(ProcPath(pid, "stat"));
            int end = stat.LastIndexOf(')');
            return end < 0 ? null : stat[(end + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string? ProgramName(int pid)
    {
        try
        {
            return File.ReadAllText(ProcPath(pid, "comm")).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool ProcessExists(int pid)
    {
        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(pid);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static string ProcPath(int pid, string file) => string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/{file}");
}

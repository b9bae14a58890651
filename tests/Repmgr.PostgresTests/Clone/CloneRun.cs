using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Clone;

/// <summary>A <c>repmgr standby clone</c> that is under way.</summary>
internal sealed class CloneRun
{
    private readonly TestServer _target;

    private CloneRun(TestServer target, string[] arguments)
    {
        _target = target;
        Ended = target.Lab.RunAsync(new Launch(Programs.Repmgr, ["-f", target.ConfPath, .. arguments])
        {
            User = target.User,
            Host = target.Host,
            WorkingDirectory = target.Directory,
            Environment = target.Surroundings,
            Within = TimeSpan.FromMinutes(4),
        });
    }

    public Task<ProgramResult> Ended { get; }

    public static CloneRun Start(TestServer target, params string[] arguments) => new(target, arguments);

    /// <summary>Waits until it is as far as that, and sends SIGKILL to its program of this name.</summary>
    /// <returns>False when it ended before it was seen there.</returns>
    public async Task<bool> KillAsync(string program, Func<Task<bool>> atThisPoint)
    {
        await Eventually.TrueAsync(async () => Ended.IsCompleted || await atThisPoint(), TimeSpan.FromSeconds(60), $"the clone is where {program} is to be killed");
        int killed = 0;
        foreach (int pid in Processes(program))
            killed += Leftovers.Send(pid, Leftovers.SigKill) == 0 ? 1 : 0;
        return killed > 0;
    }

    /// <summary>
    /// Sends SIGKILL to repmgr as soon as this file is there, in the target's data directory. Some points last for milliseconds
    /// only: a run that gets past it is done anew, onto nothing.
    /// </summary>
    public static async Task KillWhereAsync(TestServer target, string whenThereIs, params string[] arguments)
    {
        for (int attempt = 0; attempt < 5; attempt++)
        {
            if (Directory.Exists(target.DataDirectory))
                Directory.Delete(target.DataDirectory, recursive: true);
            CloneRun run = Start(target, arguments);
            await Task.Factory.StartNew(
                () => run.KillWhen(Path.Combine(target.DataDirectory, whenThereIs)), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            if ((await run.Ended).ExitCode != 0)
                return;
        }

        Assert.Fail($"the clone ended five times before it could be killed where {whenThereIs} is there");
    }

    /// <summary>The most memory that repmgr had resident at once, in bytes, as far as a look every millisecond shows.</summary>
    /// <remarks><c>VmHWM</c>: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html</remarks>
    public Task<long> PeakMemoryAsync() => Task.Factory.StartNew(
        () =>
        {
            long peak = 0;
            int? pid = null;
            while (!Ended.IsCompleted)
            {
                pid ??= Processes("repmgr").Select(found => (int?)found).FirstOrDefault();
                peak = Math.Max(peak, pid is { } found ? PeakOf(found) : 0);
                Thread.Sleep(1);
            }

            return peak;
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);

    private static long PeakOf(int pid)
    {
        try
        {
            string? line = File.ReadLines($"/proc/{pid}/status").FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2].Trim(), System.Globalization.CultureInfo.InvariantCulture) << 10;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    // Who is to be killed is looked up first: that takes longer than some of the points last.
    private void KillWhen(string path)
    {
        int[] pids = [];
        while (!Ended.IsCompleted && (pids.Length == 0 || !Path.Exists(path)))
        {
            if (pids.Length == 0)
                pids = [.. Processes("repmgr")];
            Thread.Sleep(1);
        }

        foreach (int pid in pids)
            _ = Leftovers.Send(pid, Leftovers.SigKill);
    }

    private IEnumerable<int> Processes(string program) => Leftovers.In(_target.Lab.Directory).Where(pid => Name(pid) == program);

    private static string? Name(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/comm").Trim();
        }
        catch (IOException)
        {
            return null;
        }
    }
}

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

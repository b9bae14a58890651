using System.Diagnostics;
using System.Globalization;
using CliWrap;
using CliWrap.Buffered;

namespace Repmgr.PostgresTests.Harness;

/// <summary>
/// A process that keeps namespaces alive by being in them. When it ends, and it ends with the test's process, the kernel ends
/// every process in its process-id namespace and takes the network down: nothing can stay behind.
/// </summary>
internal sealed class NamespaceHolder : IAsyncDisposable
{
    private readonly Process _outer;

    private NamespaceHolder(Process outer, int innerPid, string directory) => (_outer, InnerPid, Directory) = (outer, innerPid, directory);

    /// <summary>The test's: <see cref="Leftovers.Marker"/> of what runs inside.</summary>
    public string Directory { get; }

    /// <summary>The first process in the namespaces, in this machine's numbers.</summary>
    public int InnerPid { get; }

    /// <summary>What stands before a command line to run it in there.</summary>
    public string[] Prefix => ["nsenter", "-t", InnerPid.ToString(CultureInfo.InvariantCulture), "--net", "--uts", "--mount", "--pid", "--"];

    /// <summary>The same for a program that needs nothing but the network in there.</summary>
    public string[] NetworkPrefix => ["nsenter", "-t", InnerPid.ToString(CultureInfo.InvariantCulture), "--net", "--"];

    /// <summary>Why none can be made on this machine, as unshare(1) says it: a container without the rights, for instance. Null when they can.</summary>
    public static Task<string?> ObstacleAsync() => Obstacle.Value;

    private static readonly Lazy<Task<string?>> Obstacle = new(async () =>
    {
        var tried = await Cli.Wrap("unshare").WithArguments(["--fork", "--net", "--uts", "--mount", "--pid", "true"])
            .WithValidation(CommandResultValidation.None).ExecuteBufferedAsync();
        return tried.ExitCode == 0 ? null : tried.StandardError.Trim();
    });

    /// <param name="kinds">Options of unshare(1): which namespaces.</param>
    /// <param name="setup">A shell script that is run first, inside.</param>
    public static async Task<NamespaceHolder> StartAsync(string directory, string kinds, string setup)
    {
        // bash as the first process waits for orphans, as init would: a dead postmaster must not linger as a zombie. It ends when
        // its input does, that is with the test's process. (PR_SET_PDEATHSIG will not do: it goes by the thread that started it.)
        string script = $"{{ {setup.Replace("\r", "", StringComparison.Ordinal)} ; }} >&2 && echo ready && exec >/dev/null 2>&1 && {{ cat <&0 & wait $!; }}";
        var start = new ProcessStartInfo("unshare")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = directory,
        };
        foreach (string word in (string[])["--fork", "--kill-child", .. kinds.Split(' '), "bash", "-c", script])
            start.ArgumentList.Add(word);
        start.Environment[Leftovers.Marker] = directory;
        var outer = Process.Start(start) ?? throw new InvalidOperationException("unshare did not start");
        if (await outer.StandardOutput.ReadLineAsync() != "ready")
            throw new InvalidOperationException($"namespaces could not be set up: {await outer.StandardError.ReadToEndAsync()}");
        return new NamespaceHolder(outer, ChildOf(outer.Id), directory);
    }

    /// <summary>Runs a shell script inside, as root.</summary>
    public async Task RunAsync(string script)
    {
        string[] line = [.. Prefix, "bash", "-c", script];
        var done = await Cli.Wrap(line[0]).WithArguments(line[1..]).WithValidation(CommandResultValidation.None).ExecuteBufferedAsync();
        if (done.ExitCode != 0)
            throw new InvalidOperationException($"in a namespace: {script}\n{done.StandardError}");
    }

    public async ValueTask DisposeAsync()
    {
        _ = Leftovers.Send(InnerPid, Leftovers.SigKill);
        await _outer.WaitForExitAsync();
        _outer.Dispose();
    }

    private static int ChildOf(int parent) => System.IO.Directory.EnumerateDirectories("/proc")
        .Select(path => int.TryParse(Path.GetFileName(path), out int pid) ? pid : 0)
        .First(pid => pid > 0 && ParentOf(pid) == parent);

    private static int ParentOf(int pid)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}

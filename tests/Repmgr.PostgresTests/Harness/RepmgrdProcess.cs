using System.Text;
using CliWrap;

namespace Repmgr.PostgresTests.Harness;

/// <summary>A running <c>repmgrd</c>, in the foreground. What it writes goes to <c>repmgrd.log</c> of its node.</summary>
public sealed class RepmgrdProcess
{
    private const int SigTerm = 15, SigHup = 1, SigInt = 2;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    private readonly TestServer _node;
    private readonly CommandTask<CommandResult> _running;

    private RepmgrdProcess(TestServer node, IReadOnlyList<string> line, IReadOnlyDictionary<string, string?> surroundings)
    {
        _node = node;
        LogPath = Path.Combine(node.Directory, "repmgrd.log");
        var launch = node.Lab.Marked(new Launch(line[0], [.. line.Skip(1)])
        {
            User = node.User,
            Host = node.Host,
            WorkingDirectory = node.Directory,
            Environment = surroundings,
        });
        node.Lab.Note($"$ {launch} &");
        var both = new StringBuilder();
        _running = launch.Command(both, both)
            .WithStandardOutputPipe(PipeTarget.Create(AppendAsync))
            .WithStandardErrorPipe(PipeTarget.Create(AppendAsync))
            .ExecuteAsync();
    }

    public string LogPath { get; }

    /// <summary>The process itself, in this machine's numbers, also when it runs on a <see cref="TestHost"/>.</summary>
    public int ProcessId => Leftovers.In(_node.Directory)
        .Single(pid => CommandOf(pid) == "repmgrd");

    public bool HasExited => _running.Task.IsCompleted;

    /// <param name="before">What stands before <c>repmgrd</c> in the command line: a program that ends by becoming it.</param>
    internal static RepmgrdProcess Start(
        TestServer node, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string?>? surroundings = null, params IReadOnlyList<string> before) =>
        new(node, [.. before, Programs.Repmgrd, .. arguments], surroundings ?? node.Surroundings);

    public string Log() => File.Exists(LogPath) ? File.ReadAllText(LogPath) : "";

    /// <summary>Waits until the log holds this text.</summary>
    public Task SaysAsync(string text, TimeSpan within) => Eventually.TrueAsync(
        () => Task.FromResult(Log().Contains(text, StringComparison.Ordinal)), within, $"repmgrd of {_node.Name} says «{text}»");

    public void Reload() => _ = Leftovers.Send(ProcessId, SigHup);

    public void Terminate() => _ = Leftovers.Send(ProcessId, SigTerm);

    public void Interrupt() => _ = Leftovers.Send(ProcessId, SigInt);

    public void Kill() => _ = Leftovers.Send(ProcessId, Leftovers.SigKill);

    public void Freeze() => _ = Leftovers.Send(ProcessId, Leftovers.SigStop);

    public void Thaw() => _ = Leftovers.Send(ProcessId, Leftovers.SigCont);

    /// <summary>Sends SIGTERM and waits for its end; returns its exit code.</summary>
    public Task<int> StopAsync(TimeSpan? within = null)
    {
        Terminate();
        return ExitAsync(within ?? TimeSpan.FromSeconds(15));
    }

    /// <summary>Waits for its end, whatever brings it about; returns its exit code.</summary>
    public async Task<int> ExitAsync(TimeSpan within)
    {
        Task tooLate = Task.Delay(within, TestContext.Current.CancellationToken);
        while (!_running.Task.IsCompleted)
        {
            // nsenter, which waits for it, stops itself when it sees it stopped: also a moment after that went on again. Then nobody would see it end.
            _ = Leftovers.Send(_running.ProcessId, Leftovers.SigCont);
            if (await Task.WhenAny(_running.Task, tooLate, Task.Delay(Look)) == tooLate)
                throw new TimeoutException($"repmgrd of {_node.Name} did not end within {within.TotalSeconds:0} s.\n{Log()}");
        }

        return (await _running).ExitCode;
    }

    private async Task AppendAsync(Stream origin, CancellationToken cancel)
    {
        await using var log = new FileStream(LogPath, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, 1);
        await origin.CopyToAsync(log, cancel);
    }

    /// <summary>Null for one that has ended since it was listed.</summary>
    private static string? CommandOf(int pid)
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

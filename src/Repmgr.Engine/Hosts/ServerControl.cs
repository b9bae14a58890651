using System.Globalization;
using Repmgr.Core.Hosts;
using Repmgr.Core.Planning;
using Repmgr.Core.Problems;
using Repmgr.Engine.Processes;

namespace Repmgr.Engine.Hosts;

/// <summary>
/// Starts, stops, restarts and reloads the server in one data directory on this machine. Whatever is used for it
/// (<c>service_*_command</c>, systemd, <c>pg_ctlcluster</c>, <c>pg_ctl</c>), done means: seen to be so, in
/// <c>postmaster.pid</c> and <c>/proc</c>, within our own deadline. Everything can be repeated.
/// </summary>
/// <param name="dataDirectory">The server's data directory.</param>
/// <param name="binaries">The programs of its version.</param>
/// <param name="manager">Who starts and stops it.</param>
/// <param name="commands">What the operator configured in its place.</param>
/// <param name="pgCtlOptions"><c>pg_ctl_options</c>, split into words.</param>
public sealed class ServerControl(
    string dataDirectory,
    PostgresBinaries binaries,
    ServiceManager manager,
    ServiceCommands commands,
    IReadOnlyList<string> pgCtlOptions)
{
    // A server hands its environment on to its commands (archive_command, restore_command), and lives on when the command that started
    // it has ended.
    private static readonly Dictionary<string, string?> WithoutCallGuard = new() { [CallGuard.Variable] = null };

    // Over the server's own time, so that a program's own report of failure arrives before we give up on it.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    public string DataDirectory => dataDirectory;

    /// <summary>What a server that is started by us writes before its own logging begins, and after it if it logs to stderr.</summary>
    public string StartLog => Path.Combine(dataDirectory, "repmgr_start.log");

    public LocalServerState Look() => LocalServer.Look(dataDirectory);

    /// <summary>Starts the server and waits until it accepts connections (or has recovered, where <c>hot_standby</c> is off).</summary>
    public async Task<StepOutcome> StartAsync(TimeSpan within, CancellationToken cancel)
    {
        if (Look() is LocalServerState.Running { File.IsUp: true })
            return new StepOutcome.AlreadyDone("the server is running");

        return Look() is LocalServerState.Running
            ? await AwaitUpAsync(TimeProvider.System.GetTimestamp(), within, since: null, cancel).ConfigureAwait(false)
            : await BringUpAsync("start", within, since: null, cancel).ConfigureAwait(false);
    }

    /// <summary>Restarts the server (or starts it, if it does not run) and waits as <see cref="StartAsync"/> does.</summary>
    public async Task<StepOutcome> RestartAsync(TimeSpan within, CancellationToken cancel)
    {
        int? before = Look() is LocalServerState.Running running ? running.File.Pid : null;
        return await BringUpAsync("restart", within, since: before, cancel).ConfigureAwait(false);
    }

    /// <summary>Stops the server without waiting for clients (<c>fast</c>) and waits until its process is gone.</summary>
    public async Task<StepOutcome> StopAsync(TimeSpan within, CancellationToken cancel)
    {
        if (Look() is LocalServerState.NotRunning)
            return new StepOutcome.AlreadyDone("the server is not running");

        long start = TimeProvider.System.GetTimestamp();
        (string name, ProgramResult result) = await RunAsync("stop", within, cancel).ConfigureAwait(false);
        TimeSpan left = within - TimeProvider.System.GetElapsedTime(start);
        LocalServerState state = await LocalServer
            .AwaitAsync(dataDirectory, seen => seen is LocalServerState.NotRunning, left, cancel)
            .ConfigureAwait(false);
        if (state is LocalServerState.NotRunning)
            return new StepOutcome.Done();

        return Failed(
            "could not stop the server",
            result.Succeeded ? $"It is still running {within.TotalSeconds:0} s after it was told to stop." : result.Explain(name),
            "See the server's log for what it waits for.",
            ExitCode.LocalCommand);
    }

    /// <summary>Makes the server read its configuration again.</summary>
    public async Task<StepOutcome> ReloadAsync(TimeSpan within, CancellationToken cancel)
    {
        (string name, ProgramResult result) = await RunAsync("reload", within, cancel).ConfigureAwait(false);
        return result.Succeeded
            ? new StepOutcome.Done()
            : Failed("could not reload the server's configuration", result.Explain(name), null, ExitCode.LocalCommand);
    }

    /// <summary>What can be done to a server: the middle of the names of the <c>service_*_command</c> settings. Promoting is not among them: the server's own function does that.</summary>
    public static IReadOnlyList<string> Actions { get; } = ["start", "stop", "restart", "reload"];

    /// <summary>The command that is run for one of the <see cref="Actions"/>, as a person would type it.</summary>
    public string CommandFor(string action) => Configured(action) ?? string.Join(' ', CommandLine(action, TimeSpan.FromSeconds(60)));

    private string? Configured(string action) => action switch
    {
        "start" => commands.Start,
        "stop" => commands.Stop,
        "restart" => commands.Restart,
        "reload" => commands.Reload,
        _ => throw new ArgumentOutOfRangeException(nameof(action), action, null),
    };

    private async Task<StepOutcome> BringUpAsync(string action, TimeSpan within, int? since, CancellationToken cancel)
    {
        long start = TimeProvider.System.GetTimestamp();
        long logged = File.Exists(StartLog) ? new FileInfo(StartLog).Length : 0;
        (string name, ProgramResult result) = await RunAsync(action, within, cancel).ConfigureAwait(false);
        if (!result.Succeeded)
        {
            return Failed(
                $"could not {action} the server",
                result.Explain(name) + LoggedSince(logged),
                HintFor(action),
                ExitCode.NoRestart);
        }

        return await AwaitUpAsync(start, within, since, cancel).ConfigureAwait(false);
    }

    private async Task<StepOutcome> AwaitUpAsync(long start, TimeSpan within, int? since, CancellationToken cancel)
    {
        LocalServerState state = await LocalServer.AwaitAsync(
            dataDirectory,
            seen => seen is LocalServerState.Running { File: { IsUp: true } file } && file.Pid != since,
            within - TimeProvider.System.GetElapsedTime(start),
            cancel).ConfigureAwait(false);
        return state switch
        {
            LocalServerState.Running { File: { IsUp: true } file } when file.Pid != since => new StepOutcome.Done(),
            LocalServerState.Running { File: var file } when file.Pid == since => Failed(
                "the server was not restarted",
                $"The same process (PID {file.Pid}) is still running.",
                "Check service_restart_command.",
                ExitCode.NoRestart),
            LocalServerState.Running { File: var file } => Failed(
                "the server is still starting up",
                $"It has not become ready within {within.TotalSeconds:0} s; it says \"{file.Status.ToString().ToLowerInvariant()}\".",
                "It may have much WAL to replay: see its log, and repeat the command.",
                ExitCode.NoRestart),
            _ => Failed(
                "the server is not running",
                $"The command succeeded, but there is no server in \"{dataDirectory}\".",
                "See the server's log; check service_start_command and data_directory.",
                ExitCode.NoRestart),
        };
    }

    private async Task<(string Name, ProgramResult Result)> RunAsync(string action, TimeSpan within, CancellationToken cancel)
    {
        bool starts = action is "start" or "restart";
        // A server that is being started is our grandchild: to be cancelled half-way would kill it with its parent.
        CancellationToken stopper = starts ? CancellationToken.None : cancel;
        if (Configured(action) is { Length: > 0 } configured)
        {
            Dictionary<string, string?> environment = starts ? WithoutCallGuard : [];
            return (configured, await ExternalProgram
                .RunShellAsync(configured, starts ? StartLog : null, environment, within, stopper)
                .ConfigureAwait(false));
        }

        string[] line = CommandLine(action, within);
        return (line[0], await ExternalProgram.RunAsync(line[0], line[1..], starts ? WithoutCallGuard : null, within + Grace, stopper).ConfigureAwait(false));
    }

    private string[] CommandLine(string action, TimeSpan within) => (manager, action) switch
    {
        // Reloading is a signal and stopping ends in a process that is gone: both are the server's own business, and need none
        // of the rights on the unit. Starting must be left to systemd, or the server would live in our session.
        (ServiceManager.Systemd unit, "start" or "restart" or "stop") =>
            ["systemctl", "--no-ask-password", .. unit.OfUser ? (string[])["--user"] : [], action, unit.Unit],
        (ServiceManager.PgCtlCluster cluster, "start" or "restart" or "stop") =>
            ["pg_ctlcluster", "--skip-systemctl-redirect", .. action == "start" ? (string[])[] : ["--mode", "fast"], cluster.Major, cluster.Cluster, action],
        (_, "start") => [binaries.PgCtl, "-w", "-t", Seconds(within), "-s", "-D", dataDirectory, .. LogArguments, .. pgCtlOptions, "start"],
        (_, "restart") => [binaries.PgCtl, "-w", "-t", Seconds(within), "-s", "-m", "fast", "-D", dataDirectory, .. LogArguments, .. pgCtlOptions, "restart"],
        (_, "stop") => [binaries.PgCtl, "-W", "-s", "-m", "fast", "-D", dataDirectory, .. pgCtlOptions, "stop"],
        (_, "reload") => [binaries.PgCtl, "-s", "-D", dataDirectory, .. pgCtlOptions, "reload"],
        _ => throw new ArgumentOutOfRangeException(nameof(action), action, null),
    };

    private string[] LogArguments =>
        pgCtlOptions.Any(option => option.StartsWith("-l", StringComparison.Ordinal) || option.StartsWith("--log", StringComparison.Ordinal))
            ? []
            : ["-l", StartLog];

    private string? HintFor(string action) => manager switch
    {
        ServiceManager.Systemd unit =>
            $"Let this user run \"systemctl {action} {unit.Unit}\" (polkit), or set service_{action}_command, for instance to \"sudo systemctl {action} {unit.Unit}\".",
        _ => "See the server's log.",
    };

    private string LoggedSince(long position)
    {
        if (!File.Exists(StartLog))
            return "";
        using var reader = new StreamReader(StartLog);
        reader.BaseStream.Position = Math.Min(position, reader.BaseStream.Length);
        string[] lines = reader.ReadToEnd().Trim().Split('\n');
        return lines is [""] ? "" : "\n" + string.Join('\n', lines[^Math.Min(lines.Length, 10)..]);
    }

    private static string Seconds(TimeSpan span) =>
        Math.Max(1, (int)Math.Ceiling(span.TotalSeconds)).ToString(CultureInfo.InvariantCulture);

    private static StepOutcome.Failed Failed(string message, string detail, string? hint, ExitCode code) =>
        new(new Problem(message, detail, hint), code);
}

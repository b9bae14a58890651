using System.Text;
using Repmgr.Core.CommandLine;
using Repmgr.Core.Monitoring;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine;
using Repmgr.Engine.Daemon;
using Repmgr.Engine.Failover;
using Repmgr.Engine.Files;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Metadata;
using Repmgr.Engine.Postgres;
using Repmgr.Engine.Processes;

namespace Repmgr.Agent;

/// <summary>Reads the command line and the configuration, and wires the daemon together.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        if (arguments is [GuardProcess.Argument, var stateDirectory, var dataDirectory, .. var watchdog])
            return GuardProcess.Run(stateDirectory, dataDirectory, watchdog.FirstOrDefault());
        CommandTable table = CommandTable.Repmgrd;
        return (int)(CommandLineParser.Parse(arguments, table) switch
        {
            Invocation.Help help => Print(HelpText.For(table, help)),
            Invocation.Version => Print($"repmgrd {ProductVersion.Text}\n"),
            Invocation.VersionNumber => Print($"{ProductVersion.Number}\n"),
            Invocation.Wrong wrong => Refuse(wrong.Problems),
            Invocation.Run run => await RunAsync(run.Options, arguments),
            _ => throw new InvalidOperationException("an invocation of no known kind"),
        });
    }

    private static async Task<ExitCode> RunAsync(CommandOptions options, string[] arguments)
    {
        bool inBackground = Detached.IsChild;
        if (inBackground)
            Detached.Leave();
        SettingsLoad load = Startup.Load(options.ConfigFile, options);
        if (load is SettingsLoad.Refused refused)
            return Refuse(refused.Problems);
        var loaded = (SettingsLoad.Loaded)load;
        if (options.ShowPidFile)
            return Print($"{Startup.PidFile(options, loaded.Settings, inBackground: true)}\n");
        if (Startup.Objections(loaded) is [_, ..] objections)
            return Refuse(objections);
        if (options.Daemonize && !inBackground)
            return (ExitCode)await Detached.StartAsync(Environment.ProcessPath!, arguments, CancellationToken.None);
        return await WatchAsync(options, loaded, inBackground);
    }

    private static async Task<ExitCode> WatchAsync(CommandOptions options, SettingsLoad.Loaded loaded, bool inBackground)
    {
        LogTarget target = Startup.LogTarget(loaded.Settings, options);
        if (Log.Check(target) is { } unwritable)
            return Refuse([unwritable]);
        using var mailbox = new Mailbox();
        PidFile? pidFile = null;
        if (Startup.PidFile(options, loaded.Settings, inBackground) is { } path)
        {
            PidFileClaim claim = PidFile.Claim(path);
            if (claim is not PidFileClaim.Taken taken)
                return Refuse([Startup.Explain(claim, path)], ExitCode.BadPidFileOrStopBackup);
            pidFile = taken.File;
        }

        using PidFile? held = pidFile;
        bool logsToStderr = target.File is null && loaded.Settings.LogFacility == LogFacility.Stderr;
        bool kept = !inBackground || Detached.Announce(keepStandardError: logsToStderr);
        using var log = new Log("repmgrd", target, TimeProvider.System);
        if (logsToStderr && !kept)
            log.Warning("standard error is no file, so what is logged is lost", hint: "Set log_file or log_facility.");
        using EndInTime end = EndInTime.Of(mailbox, log);
        return await WatchAsync(options, loaded, mailbox, end, log);
    }

    private static async Task<ExitCode> WatchAsync(CommandOptions options, SettingsLoad.Loaded loaded, Mailbox mailbox, EndInTime end, Log log)
    {
        log.Notice($"repmgrd {ProductVersion.Text} starts", $"Configuration file: {loaded.Path}.");
        foreach (LogLine notice in loaded.Notices)
            log.Write(notice);

        if (loaded.Settings.Failover == FailoverMode.Manual && FailoverAgent.LeftState(loaded.Settings) is { } state)
        {
            log.Warning(
                "this node was part of an automatic failover, and now is only watched", $"The state of its agent is in \"{state}\".",
                "If its server is the primary, the guard takes it out of service when agent_restart_grace is over, and the other agents elect another. docs/failover.md says how to end automatic failover.");
        }

        using var time = new LoopTime();
        var connector = new PostgresConnector { ApplicationName = DaemonPresence.NameOf(loaded.Settings.NodeId!.Value, Environment.ProcessId) };
        using var systemd = SdNotify.FromEnvironment(Environment.GetEnvironmentVariable);
        await using var servers = new Servers(connector, time);
        await using var writer = new PrimaryWriter(connector, WatchTurns.LongestQuery);
        var announcer = new Announcer(
            (settings, happened, at, cancel) => new EventRecorder(settings, connector, time, log).NotifyAsync(happened, at, cancel), log);
        var recorder = new Recorder(writer, announcer, log, time);
        var turns = new WatchTurns(servers, recorder, HookProgram.RunAsync, log, time);
        var loop = new WatchLoop(
            mailbox.Messages, turns, recorder, announcer, log, systemd, time,
            path => Startup.Load(path, options),
            settings => Startup.LogTarget(settings, options));

        try
        {
            if (await WitnessAgent.IsOneAsync(loaded.Settings, connector, CancellationToken.None))
                return await WitnessAsync(new WitnessAgent(loaded.Settings, connector, ApiServer.StartAsync, log), mailbox, end, systemd, log);
            return loaded.Settings.Failover == FailoverMode.Automatic
                ? await WithAgentAsync(loop, loaded, connector, recorder, end, log)
                : await loop.RunAsync(loaded);
        }
        catch (Exception defect)
        {
            // A defect of this program: it is written down, and a service manager starts the daemon anew.
            log.Write(Severity.Crit, new Problem($"repmgrd ends because of a defect: {defect.Message}", defect.ToString(), "Please report this."));
            return ExitCode.Internal;
        }
    }

    /// <summary>The watch goes on whatever becomes of the agent; only a defect of the agent ends both, to be started anew.</summary>
    private static async Task<ExitCode> WithAgentAsync(WatchLoop loop, SettingsLoad.Loaded loaded, PostgresConnector connector, Recorder recorder, EndInTime end, Log log)
    {
        using var ends = new CancellationTokenSource();
        var agent = new FailoverAgent(
            loaded.Settings, loaded.Path ?? "", connector, ApiServer.StartAsync, happened => recorder.Hand(new WatchAct.Tell(happened)), log);
        Task<ExitCode> watching = loop.RunAsync(loaded);
        Task failingOver = RunAgentAsync(agent.RunAsync, log, ends.Token);
        await Task.WhenAny(watching, failingOver);
        if (failingOver.IsFaulted)
            await failingOver;
        ExitCode exit = await watching;
        end.Stage = "the other agents know";
        await agent.StopAsync();
        end.Stage = "the agent's tasks are told to end";
        await ends.CancelAsync();
        end.Stage = "the agent's tasks end";
        await Task.WhenAny(failingOver, Task.Delay(TimeSpan.FromSeconds(2)));
        end.Stage = "connections are closed";
        return exit;
    }

    /// <summary>A witness has no server to be watched: its agent is all that runs.</summary>
    private static async Task<ExitCode> WitnessAsync(WitnessAgent witness, Mailbox mailbox, EndInTime end, SdNotify systemd, Log log)
    {
        using var ends = new CancellationTokenSource();
        systemd.Ready("votes as a witness");
        Task voting = RunAgentAsync(witness.RunAsync, log, ends.Token);
        Task stopping = UntilStoppedAsync(mailbox, systemd, log);
        await Task.WhenAny(voting, stopping);
        if (voting.IsFaulted)
            await voting;
        bool isStopped = stopping.IsCompleted;
        systemd.Stopping();
        end.Stage = "the other agents know";
        await witness.StopAsync();
        end.Stage = "the agent's tasks end";
        await ends.CancelAsync();
        await Task.WhenAny(voting, Task.Delay(TimeSpan.FromSeconds(2)));
        return isStopped ? ExitCode.Success : ExitCode.BadConfig;
    }

    private static async Task UntilStoppedAsync(Mailbox mailbox, SdNotify systemd, Log log)
    {
        while (true)
        {
            using var alive = new CancellationTokenSource(systemd.WatchdogEvery ?? Timeout.InfiniteTimeSpan);
            try
            {
                if (await mailbox.Messages.ReadAsync(alive.Token) == Message.Stop)
                    return;
                log.Notice("a witness reads its configuration only at its start", hint: "Restart repmgrd.");
            }
            catch (OperationCanceledException)
            {
                systemd.Alive();
            }
        }
    }

    private static async Task RunAgentAsync(Func<CancellationToken, Task> agent, Log log, CancellationToken cancel)
    {
        try
        {
            await agent(cancel);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // Told to end.
        }
        catch (Exception failed) when (failed is IOException or System.Net.Sockets.SocketException or UnauthorizedAccessException)
        {
            log.Error("there is no automatic failover", failed.Message, "repmgrd only watches. Correct it, and restart repmgrd.");
        }
    }

    private static ExitCode Refuse(IEnumerable<Problem> problems, ExitCode code = ExitCode.BadConfig)
    {
        foreach (Problem problem in problems)
        {
            Console.Error.WriteLine($"ERROR: {problem.Message}");
            if (problem.Detail is { } detail)
                Console.Error.WriteLine($"DETAIL: {detail}");
            if (problem.Hint is { } hint)
                Console.Error.WriteLine($"HINT: {hint}");
        }

        return code;
    }

    private static ExitCode Print(string text)
    {
        using Stream output = Console.OpenStandardOutput();
        output.Write(Encoding.UTF8.GetBytes(text));
        return ExitCode.Success;
    }
}

using System.Globalization;
using System.Threading.Channels;
using Repmgr.Core.Cluster;
using Repmgr.Core.Monitoring;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Files;
using Repmgr.Engine.Logging;

namespace Repmgr.Engine.Daemon;

/// <summary>The daemon's life: a turn every <c>monitor_interval_secs</c>, and what signals ask for in between.</summary>
public sealed class WatchLoop(
    ChannelReader<Message> messages, WatchTurns turns, Recorder recorder, Announcer announcer, Log log, SdNotify systemd, TimeProvider time, Func<string?, SettingsLoad> load, Func<Settings, LogTarget> logTarget)
{
    private const int QuickTurns = 6;
    private static readonly TimeSpan QuickTurn = TimeSpan.FromMilliseconds(250);

    /// <summary>Runs until it is told to stop, or a turn says so.</summary>
    /// <param name="loaded">The settings to begin with, with node and conninfo set.</param>
    public async Task<ExitCode> RunAsync(SettingsLoad.Loaded loaded)
    {
        using var beside = new CancellationTokenSource();
        Task recording = recorder.RunAsync(beside.Token);
        Task announcing = announcer.RunAsync(beside.Token);
        Settings settings = loaded.Settings;
        string configFile = loaded.Path ?? "";
        Use(settings, configFile);
        systemd.Ready($"node {settings.NodeId} is watched");
        try
        {
            return await TakeTurnsAsync(settings, configFile, [recording, announcing], beside.Token);
        }
        finally
        {
            systemd.Stopping();
            await EndAsync(settings.NodeId!.Value, beside, recording, announcing);
        }
    }

    private async Task<ExitCode> TakeTurnsAsync(Settings settings, string configFile, Task[] beside, CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(Interval(settings), time);
        Task<bool> tick = timer.WaitForNextTickAsync(cancel).AsTask();
        Task<bool> mail = messages.WaitToReadAsync(cancel).AsTask();
        long lastTurn = time.GetTimestamp();
        Watching? said = null;
        for (int turn = 0; ; turn++)
        {
            NoticeStall(time.GetElapsedTime(lastTurn), settings);
            lastTurn = time.GetTimestamp();
            if (await turns.TakeAsync(cancel) is { } exit)
                return exit;
            systemd.Alive();
            if (turns.State.Watching is { } now && now != said)
            {
                systemd.Status(now.Upstream is { } upstream ? $"node {settings.NodeId} watches its upstream, node {upstream}" : $"node {settings.NodeId} is the primary");
                said = now;
            }

            // The first turn knows only the own server, the next what that knows of others: they follow each other quickly.
            bool hastens = turn < QuickTurns && turns.State.Watching is null;
            Task woken = await Task.WhenAny([hastens ? Task.Delay(QuickTurn, time, cancel) : tick, mail, .. beside]);
            // What runs beside the loop ends only by a defect, which must not go unseen.
            if (beside.Contains(woken))
                await woken;
            if (mail.IsCompleted)
            {
                while (messages.TryRead(out Message message))
                {
                    if (message == Message.Stop)
                        return ExitCode.Success;
                    settings = Reload(settings, configFile);
                    timer.Period = Interval(settings);
                }

                mail = messages.WaitToReadAsync(cancel).AsTask();
            }

            if (tick.IsCompleted)
                tick = timer.WaitForNextTickAsync(cancel).AsTask();
        }
    }

    /// <summary>The watchdog's limit may be shorter than the interval; then there are more turns.</summary>
    private TimeSpan Interval(Settings settings) =>
        systemd.WatchdogEvery is { } every && every < settings.MonitorInterval ? every : settings.MonitorInterval;

    private void NoticeStall(TimeSpan since, Settings settings)
    {
        if (since > settings.MonitorInterval + Servers.LookWithin + TimeSpan.FromSeconds(5))
        {
            log.Warning(string.Create(
                CultureInfo.InvariantCulture, $"the last turn was {since.TotalSeconds:0.#} seconds ago: this machine was suspended, or has no time for repmgrd"));
        }
    }

    private void Use(Settings settings, string configFile)
    {
        announcer.Use(settings);
        turns.Use(settings, configFile, Environment.GetEnvironmentVariable);
    }

    /// <summary>SIGHUP. A file with errors changes nothing.</summary>
    private Settings Reload(Settings before, string configFile)
    {
        systemd.Reloading();
        log.Notice("reloading the configuration", configFile);
        Settings now = before;
        switch (load(configFile.Length > 0 ? configFile : null))
        {
            case SettingsLoad.Refused refused:
                foreach (Problem problem in refused.Problems)
                    log.Write(Severity.Error, problem);
                log.Warning("the configuration has errors; the old settings stay in force");
                break;
            case SettingsLoad.Loaded loaded:
                now = TakeOver(before, loaded, configFile);
                break;
        }

        LogTarget target = logTarget(now);
        if (Log.Check(target) is { } unwritable)
            log.Write(Severity.Error, unwritable);
        log.Reopen(target);
        systemd.Ready($"node {now.NodeId} is watched");
        return now;
    }

    private Settings TakeOver(Settings before, SettingsLoad.Loaded loaded, string configFile)
    {
        if (SettingRules.Missing(loaded.Settings, loaded.Path, "node_id", "conninfo") is [_, ..] missing)
        {
            foreach (Problem problem in missing)
                log.Write(Severity.Error, problem);
            log.Warning("the configuration is not complete; the old settings stay in force");
            return before;
        }

        IReadOnlyList<SettingsChange> changes = SettingsChange.Between(before, loaded.Settings);
        Settings now = SettingsChange.TakeOver(before, loaded.Settings);
        foreach (LogLine notice in loaded.Notices)
            log.Write(notice);
        foreach (SettingsChange change in changes)
            log.Write(change.Setting.TakesEffect == TakesEffect.Never ? Severity.Error : Severity.Notice, new Problem(change.Describe()));
        string details = changes.Count == 0 ? "no setting has changed" : "changed: " + string.Join(", ", changes.Select(change => change.Setting.Name));
        log.Notice($"configuration reloaded; {details}");
        recorder.Hand(new WatchAct.Tell(new ClusterEvent(now.NodeId!.Value, EventName.RepmgrdConfigReload, Successful: true, details)));
        Use(now, configFile);
        return now;
    }

    /// <summary>Records the end, for at most two seconds, and stops what runs beside the loop.</summary>
    private async Task EndAsync(NodeId self, CancellationTokenSource beside, Task recording, Task announcing)
    {
        log.Notice("repmgrd ends");
        recorder.Hand(new WatchAct.Tell(new ClusterEvent(self, EventName.RepmgrdShutdown, Successful: true, "repmgrd ends")));
        long began = time.GetTimestamp();
        while (!(recorder.IsIdle && announcer.IsIdle) && time.GetElapsedTime(began) < TimeSpan.FromSeconds(2) && !recording.IsFaulted && !announcing.IsFaulted)
            await Task.Delay(TimeSpan.FromMilliseconds(20), time);
        await beside.CancelAsync();
        foreach (Task task in (Task[])[recording, announcing, turns.FinishAsync()])
        {
            try
            {
                await task.WaitAsync(TimeSpan.FromSeconds(1), time);
            }
            catch (Exception ended) when (ended is OperationCanceledException or TimeoutException)
            {
                // Cancelled as asked, or hung: the process ends either way.
            }
        }
    }
}

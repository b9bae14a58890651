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

    private Settings _settings = Settings.Defaults;
    private string _configFile = "";
    private Task<bool> _mail = Task.FromResult(false);
    private Watching? _told;

    /// <summary>Runs until it is told to stop, or a turn says so.</summary>
    /// <param name="loaded">The settings to begin with, with node and conninfo set.</param>
    public async Task<ExitCode> RunAsync(SettingsLoad.Loaded loaded)
    {
        using var beside = new CancellationTokenSource();
        Task recording = recorder.RunAsync(beside.Token);
        Task announcing = announcer.RunAsync(beside.Token);
        _configFile = loaded.Path ?? "";
        _mail = messages.WaitToReadAsync(beside.Token).AsTask();
        Use(loaded.Settings);
        systemd.Ready($"node {_settings.NodeId} is watched");
        try
        {
            return await TakeTurnsAsync([recording, announcing], beside.Token);
        }
        finally
        {
            systemd.Stopping();
            await EndAsync(beside, recording, announcing);
        }
    }

    private async Task<ExitCode> TakeTurnsAsync(Task[] beside, CancellationToken cancel)
    {
        using var turning = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var timer = new PeriodicTimer(Interval, time);
        Task<bool> tick = timer.WaitForNextTickAsync(cancel).AsTask();
        long lastTurn = time.GetTimestamp();
        for (int turn = 0; ; turn++)
        {
            NoticeStall(time.GetElapsedTime(lastTurn));
            lastTurn = time.GetTimestamp();
            Task<ExitCode?> taken = turns.TakeAsync(turning.Token);
            while (!taken.IsCompleted)
            {
                if (await WaitAsync(taken, beside, timer, cancel))
                    continue;
                await turning.CancelAsync();
                return ExitCode.Success;
            }

            if (await taken is { } exit)
                return exit;
            TellSystemd();

            // The first turn knows only the own server, the next what that knows of others: they follow each other quickly.
            bool hastens = turn < QuickTurns && turns.State.Watching is null;
            if (!await WaitAsync(hastens ? Task.Delay(QuickTurn, time, cancel) : tick, beside, timer, cancel))
                return ExitCode.Success;
            if (tick.IsCompleted)
                tick = timer.WaitForNextTickAsync(cancel).AsTask();
        }
    }

    /// <summary>Waits for this or for a signal, and does what the signal asks for; false: to stop. Whatever servers do, this is at once.</summary>
    private async Task<bool> WaitAsync(Task awaited, Task[] beside, PeriodicTimer timer, CancellationToken cancel)
    {
        Task woken = await Task.WhenAny([awaited, _mail, .. beside]);
        // What runs beside the loop ends only by a defect, which must not go unseen.
        if (beside.Contains(woken))
            await woken;
        if (!_mail.IsCompleted)
            return true;
        while (messages.TryRead(out Message message))
        {
            if (message == Message.Stop)
                return false;
            Reload();
            timer.Period = Interval;
        }

        _mail = messages.WaitToReadAsync(cancel).AsTask();
        return true;
    }

    private void TellSystemd()
    {
        systemd.Alive();
        if (turns.State.Watching is not { } now || now == _told)
            return;
        systemd.Status(now.Upstream is { } upstream ? $"node {_settings.NodeId} watches its upstream, node {upstream}" : $"node {_settings.NodeId} is the primary");
        _told = now;
    }

    /// <summary>The watchdog's limit may be shorter than the interval; then there are more turns.</summary>
    private TimeSpan Interval =>
        systemd.WatchdogEvery is { } every && every < _settings.MonitorInterval ? every : _settings.MonitorInterval;

    private void NoticeStall(TimeSpan since)
    {
        if (since > _settings.MonitorInterval + Servers.LookWithin + TimeSpan.FromSeconds(5))
        {
            log.Warning(string.Create(
                CultureInfo.InvariantCulture, $"the last turn was {since.TotalSeconds:0.#} seconds ago: this machine was suspended, or has no time for repmgrd"));
        }
    }

    private void Use(Settings settings)
    {
        _settings = settings;
        announcer.Use(settings);
        turns.Use(settings, _configFile, Environment.GetEnvironmentVariable);
    }

    /// <summary>SIGHUP. A file with errors changes nothing.</summary>
    private void Reload()
    {
        systemd.Reloading();
        log.Notice("reloading the configuration", _configFile);
        switch (load(_configFile.Length > 0 ? _configFile : null))
        {
            case SettingsLoad.Refused refused:
                foreach (Problem problem in refused.Problems)
                    log.Write(Severity.Error, problem);
                log.Warning("the configuration has errors; the old settings stay in force");
                break;
            case SettingsLoad.Loaded loaded:
                TakeOver(loaded);
                break;
        }

        LogTarget target = logTarget(_settings);
        if (Log.Check(target) is { } unwritable)
            log.Write(Severity.Error, unwritable);
        log.Reopen(target);
        systemd.Ready($"node {_settings.NodeId} is watched");
    }

    private void TakeOver(SettingsLoad.Loaded loaded)
    {
        if (SettingRules.Missing(loaded.Settings, loaded.Path, "node_id", "conninfo") is [_, ..] missing)
        {
            foreach (Problem problem in missing)
                log.Write(Severity.Error, problem);
            log.Warning("the configuration is not complete; the old settings stay in force");
            return;
        }

        IReadOnlyList<SettingsChange> changes = SettingsChange.Between(_settings, loaded.Settings);
        foreach (LogLine notice in loaded.Notices)
            log.Write(notice);
        foreach (SettingsChange change in changes)
            log.Write(change.Setting.TakesEffect == TakesEffect.Never ? Severity.Error : Severity.Notice, new Problem(change.Describe()));
        string details = changes.Count == 0 ? "no setting has changed" : "changed: " + string.Join(", ", changes.Select(change => change.Setting.Name));
        log.Notice($"configuration reloaded; {details}");
        recorder.Hand(new WatchAct.Tell(new ClusterEvent(_settings.NodeId!.Value, EventName.RepmgrdConfigReload, Successful: true, details)));
        Use(SettingsChange.TakeOver(_settings, loaded.Settings));
    }

    /// <summary>Records the end, for at most two seconds, and stops what runs beside the loop.</summary>
    private async Task EndAsync(CancellationTokenSource beside, Task recording, Task announcing)
    {
        log.Notice("repmgrd ends");
        recorder.Hand(new WatchAct.Tell(new ClusterEvent(_settings.NodeId!.Value, EventName.RepmgrdShutdown, Successful: true, "repmgrd ends")));
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

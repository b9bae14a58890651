using System.Threading.Channels;
using Repmgr.Core.Cluster;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Processes;

namespace Repmgr.Engine.Daemon;

/// <summary>Runs one of the operator's commands. The simulator has its own.</summary>
public delegate Task<ProgramResult> HookRunner(HookCommand command, TimeSpan within, CancellationToken cancel);

/// <summary>
/// Runs <c>event_notification_command</c>, one event after the other, beside the loop. A script that hangs is ended at its
/// deadline; when too many events wait behind it the newest are not announced, and the log says how many.
/// </summary>
public sealed class Announcer(HookRunner run, ILog log)
{
    /// <summary>How long the command may take for one event.</summary>
    public static readonly TimeSpan HookWithin = TimeSpan.FromSeconds(60);

    /// <summary>How many events may wait.</summary>
    public const int QueueLength = 100;

    private readonly Channel<(ClusterEvent Event, DateTimeOffset At)> _waiting = Channel.CreateBounded<(ClusterEvent, DateTimeOffset)>(
        new BoundedChannelOptions(QueueLength) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private Settings _settings = Settings.Defaults;
    private int _dropped;
    private int _pending;

    /// <summary>Nothing waits and nothing runs.</summary>
    public bool IsIdle => Volatile.Read(ref _pending) == 0;

    /// <summary>The real runner: <c>/bin/sh</c>, as repmgr always did it.</summary>
    public static HookRunner Shell { get; } = static (command, within, cancel) => ExternalProgram.RunShellAsync(
        command.Script, null, command.Environment.ToDictionary(pair => pair.Key, pair => (string?)pair.Value), within, cancel);

    /// <summary>Takes the command and the filter from new settings.</summary>
    public void Use(Settings settings) => Volatile.Write(ref _settings, settings);

    /// <summary>Hands an event over; returns at once.</summary>
    public void Announce(ClusterEvent happened, DateTimeOffset at)
    {
        Settings settings = Volatile.Read(ref _settings);
        if (settings.EventNotificationCommand is null || !EventNotification.IsWanted(settings.EventNotifications, happened.Name))
            return;
        Interlocked.Increment(ref _pending);
        if (_waiting.Writer.TryWrite((happened, at)))
            return;
        Interlocked.Decrement(ref _pending);
        if (Interlocked.Increment(ref _dropped) == 1)
        {
            log.Warning(
                $"event \"{happened.Name}\" and those after it are not announced: {QueueLength} wait already",
                "event_notification_command takes longer than the events do.");
        }
    }

    /// <summary>Runs until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        while (await _waiting.Reader.WaitToReadAsync(cancel).ConfigureAwait(false))
        {
            while (_waiting.Reader.TryRead(out (ClusterEvent Event, DateTimeOffset At) next))
            {
                await RunAsync(next.Event, next.At, cancel).ConfigureAwait(false);
                Interlocked.Decrement(ref _pending);
                int dropped = Interlocked.Exchange(ref _dropped, 0);
                if (dropped > 0)
                    log.Warning($"{dropped} events were not announced");
            }
        }
    }

    private async Task RunAsync(ClusterEvent happened, DateTimeOffset at, CancellationToken cancel)
    {
        if (Volatile.Read(ref _settings).EventNotificationCommand is not { } template)
            return;
        HookCommand command = EventNotification.Compose(template, happened, at);
        log.Info($"running event_notification_command for event \"{happened.Name}\"");
        log.Debug("event_notification_command", command.Script);
        ProgramResult result = await run(command, HookWithin, cancel).ConfigureAwait(false);
        if (!result.Succeeded)
            log.Write(Severity.Warning, new Problem($"event_notification_command failed for event \"{happened.Name}\"", result.Explain(template)));
    }
}

using System.Threading.Channels;
using Repmgr.Core.Cluster;
using Repmgr.Core.Settings;
using Repmgr.Engine.Logging;

namespace Repmgr.Engine.Daemon;

/// <summary>Announces one event, by <c>event_notification_command</c> if there is one, within its own deadline.</summary>
public delegate Task Notify(Settings settings, ClusterEvent happened, DateTimeOffset at, CancellationToken cancel);

/// <summary>
/// Runs <c>event_notification_command</c>, one event after the other, beside the loop. A script that hangs is ended at its
/// deadline; when too many events wait behind it the newest are not announced, and the log says how many.
/// </summary>
public sealed class Announcer(Notify notify, ILog log)
{
    /// <summary>How many events may wait.</summary>
    public const int QueueLength = 100;

    private readonly Channel<(ClusterEvent Event, DateTimeOffset At)> _waiting = Channel.CreateBounded<(ClusterEvent, DateTimeOffset)>(
        new BoundedChannelOptions(QueueLength) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private Settings _settings = Settings.Defaults;
    private int _dropped;
    private int _pending;

    /// <summary>Nothing waits and nothing runs.</summary>
    public bool IsIdle => Volatile.Read(ref _pending) == 0;

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
        while (await _waiting.Reader.WaitToReadAsync(cancel))
        {
            while (_waiting.Reader.TryRead(out (ClusterEvent Event, DateTimeOffset At) next))
            {
                await notify(Volatile.Read(ref _settings), next.Event, next.At, cancel);
                Interlocked.Decrement(ref _pending);
                int dropped = Interlocked.Exchange(ref _dropped, 0);
                if (dropped > 0)
                    log.Warning($"{dropped} events were not announced");
            }
        }
    }
}

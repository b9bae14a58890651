using System.Threading.Channels;
using Repmgr.Core.Cluster;
using Repmgr.Core.Monitoring;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Metadata;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Daemon;

/// <summary>
/// Writes what the turns want written, beside the loop: a primary that hangs costs rows, never a turn. Of monitoring rows only the
/// newest waits. Events wait for a primary, up to a number; they are announced at once all the same.
/// </summary>
public sealed class Recorder(IPrimaryWriter writer, Announcer announcer, ILog log, TimeProvider time)
{
    /// <summary>How many events may wait to be recorded. Then the oldest is lost to the table (not to the log).</summary>
    public const int MostEvents = 256;

    private const string EventsWait = "events could not be recorded, and wait";
    private const string RowsFail = "a monitoring row could not be written";

    private readonly Lock _lock = new();
    private readonly Channel<bool> _work = Channel.CreateBounded<bool>(new BoundedChannelOptions(1)
    {
        FullMode = BoundedChannelFullMode.DropWrite,
        SingleReader = true,
        // The turn that hands a row over also sends it: no other thread is woken for that.
        AllowSynchronousContinuations = true,
    });
    private readonly LinkedList<Told> _events = new();
    private readonly Dictionary<NodeId, WatchAct.Write> _writes = [];
    private Conninfo? _primary;
    private WatchAct.KeepHistory? _row;
    private int _rowsLost;
    private int _eventsLost;
    private bool _busy;
    private readonly Dictionary<string, string> _troubles = [];

    /// <summary>Everything handed over is written, or waits for a primary.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_lock)
                return !_busy && _row is null && _writes.Count == 0 && (_events.Count == 0 || _primary is null);
        }
    }

    /// <summary>Where the primary is now; null when none is known to live. Called in every turn.</summary>
    public void Aim(Conninfo? primary)
    {
        lock (_lock)
            _primary = primary;
        if (primary is not null)
            Wake();
    }

    /// <summary>Takes an order; returns at once.</summary>
    public void Hand(WatchAct act)
    {
        lock (_lock)
        {
            switch (act)
            {
                case WatchAct.KeepHistory row:
                    if (_row is not null && ++_rowsLost == 1)
                        log.Warning("monitoring rows are dropped: the primary has not taken the last one yet");
                    _row = row;
                    break;
                case WatchAct.Write write:
                    _writes[write.Record.Id] = write;
                    break;
                case WatchAct.Tell tell:
                    Queue(new Told(tell.Event, time.GetLocalNow()));
                    break;
            }
        }

        Wake();
    }

    /// <summary>Runs until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        while (await _work.Reader.WaitToReadAsync(cancel))
        {
            _work.Reader.TryRead(out _);
            // After a failure the rest waits for the next turn's call: the primary is not hammered.
            while (await DoNextAsync(cancel))
            {
            }
        }
    }

    private void Wake() => _work.Writer.TryWrite(true);

    private void Queue(Told told)
    {
        if (_events.Count == MostEvents)
        {
            _events.RemoveFirst();
            if (++_eventsLost == 1)
                log.Warning($"more than {MostEvents} events wait for a primary to be recorded at; the oldest are given up");
        }

        _events.AddLast(told);
        // At once, whatever the primary does: that it hangs may be just what the operator has to hear.
        announcer.Announce(told.Event, told.At);
    }

    /// <summary>Does what is most urgent; false when there is nothing to do, or it failed.</summary>
    private async Task<bool> DoNextAsync(CancellationToken cancel)
    {
        Conninfo? primary;
        WatchAct.Write? write = null;
        WatchAct.KeepHistory? row = null;
        Told? told = null;
        lock (_lock)
        {
            primary = _primary;
            if (_writes.Count > 0)
            {
                write = _writes.First().Value;
                _writes.Remove(write.Record.Id);
            }
            else if (_row is not null)
            {
                (row, _row) = (_row, null);
            }
            else
            {
                told = primary is null ? null : _events.First?.Value;
            }

            _busy = write is not null || row is not null || told is not null;
        }

        if (primary is null)
            return write is not null || row is not null;

        try
        {
            return (write, row, told) switch
            {
                ({ } change, _, _) => await WriteAsync(primary, change, cancel),
                (_, { } history, _) => await KeepAsync(primary, history, cancel),
                (_, _, { } happened) => await TellAsync(primary, happened, cancel),
                _ => false,
            };
        }
        finally
        {
            lock (_lock)
                _busy = false;
        }
    }

    private async Task<bool> WriteAsync(Conninfo primary, WatchAct.Write write, CancellationToken cancel)
    {
        switch (await writer.WriteAsync(primary, write.Record, write.Deactivate, cancel))
        {
            case Answer<WriteResult>.Failed failed:
                return Trouble($"the record of {write.Record.Label} could not be written", failed.Reason);
            case Answer<WriteResult>.Got { Value: WriteResult.Occupied occupied }:
                log.Error(
                    $"the record of {write.Record.Label} could not be written", $"{occupied.By.Label} has that name or number.", "Set another node_name or node_id.");
                return true;
            default:
                Well($"the record of {write.Record.Label} could not be written");
                if (write.Then is { } happened)
                {
                    lock (_lock)
                        Queue(new Told(happened, time.GetLocalNow()));
                }

                return true;
        }
    }

    private async Task<bool> TellAsync(Conninfo primary, Told told, CancellationToken cancel)
    {
        if (await writer.TellAsync(primary, told.Event, told.At, cancel) is Answer<DateTimeOffset>.Failed failed)
            return Trouble(EventsWait, failed.Reason);
        Well(EventsWait);
        lock (_lock)
            _events.Remove(told);
        return true;
    }

    private async Task<bool> KeepAsync(Conninfo primary, WatchAct.KeepHistory history, CancellationToken cancel)
    {
        if (await writer.KeepHistoryAsync(primary, history.Row, cancel) is Answer<bool>.Failed failed)
            return Trouble(RowsFail, failed.Reason);
        Well(RowsFail);
        int lost;
        lock (_lock)
            (lost, _rowsLost) = (_rowsLost, 0);
        if (lost > 0)
            log.Notice($"{lost} monitoring rows were dropped while the primary did not take them");
        return true;
    }

    /// <summary>Says what fails when it begins to fail and when the reason changes, not in every turn; always false.</summary>
    private bool Trouble(string what, string reason)
    {
        if (_troubles.GetValueOrDefault(what) != reason)
            log.Warning(what, $"{reason}.");
        _troubles[what] = reason;
        return false;
    }

    private void Well(string what)
    {
        if (_troubles.Remove(what))
            log.Notice($"no longer so: {what}");
    }

    private sealed record Told(ClusterEvent Event, DateTimeOffset At);
}

using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Daemon;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Processes;

namespace Repmgr.Tests.Daemon.Simulation;

/// <summary>The real turns, recorder and announcer over simulated servers and a simulated clock.</summary>
internal sealed class SimulatedDaemon : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly WatchTurns _turns;
    private readonly Recorder _recorder;

    public SimulatedDaemon(int id, SimulatedCluster cluster, SimulatedClock clock, string? hook = null)
    {
        Log = new CapturedLog();
        Announcer = new Announcer(
            async (_, happened, _, cancel) =>
            {
                if (HookHangs)
                    await Task.Delay(Timeout.InfiniteTimeSpan, cancel);
                lock (Announced)
                    Announced.Add(happened);
            },
            Log);
        _recorder = new Recorder(cluster, Announcer, Log, clock);
        _turns = new WatchTurns(cluster, _recorder, (_, _, _) => Task.FromResult<ProgramResult>(new ProgramResult.Ended(0, "", "")), Log, clock);
        Assert.True(Conninfo.TryParse(SimulatedCluster.Conninfo(id), out Conninfo? conninfo, out _));
        Settings settings = Settings.Defaults with
        {
            NodeId = new NodeId(id),
            NodeName = $"node{id}",
            Conninfo = conninfo,
            Cluster = "test",
            EventNotificationCommand = hook ?? "notify",
        };
        Announcer.Use(settings);
        _turns.Use(settings, "/etc/repmgr.conf", _ => null);
        _ = _recorder.RunAsync(_stop.Token);
        _ = Announcer.RunAsync(_stop.Token);
    }

    public CapturedLog Log { get; }

    public Announcer Announcer { get; }

    public List<ClusterEvent> Announced { get; } = [];

    public bool HookHangs { get; set; }

    public Core.Monitoring.WatchState State => _turns.State;

    /// <summary>A turn, and then the time for what it handed out to be done.</summary>
    public async Task<ExitCode?> TurnAsync(bool settle = true)
    {
        ExitCode? exit = await _turns.TakeAsync(TestContext.Current.CancellationToken);
        if (settle)
            Assert.True(SpinWait.SpinUntil(() => _recorder.IsIdle && (HookHangs || Announcer.IsIdle), TimeSpan.FromSeconds(20)), "the recorder does not come to rest");
        return exit;
    }

    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
    }
}

/// <summary>A clock that stands still until it is moved.</summary>
internal sealed class SimulatedClock : TimeProvider
{
    private long _ticks = DateTimeOffset.UnixEpoch.AddYears(56).Ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Volatile.Read(ref _ticks);

    public override DateTimeOffset GetUtcNow() => new(GetTimestamp(), TimeSpan.Zero);

    public void Advance(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);
}

/// <summary>A log that is kept.</summary>
internal sealed class CapturedLog : ILog
{
    private readonly List<LogLine> _lines = [];

    public IReadOnlyList<LogLine> Lines
    {
        get
        {
            lock (_lines)
                return [.. _lines];
        }
    }

    /// <summary>Only the last few lines are kept.</summary>
    public int Most { get; set; } = int.MaxValue;

    public bool Writes(Severity severity) => true;

    public void Write(LogLine line)
    {
        lock (_lines)
        {
            if (_lines.Count >= Most)
                _lines.RemoveAt(0);
            _lines.Add(line);
        }
    }
}

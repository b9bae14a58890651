using System.Threading.Channels;
using Repmgr.Core.Cluster;
using Repmgr.Core.Monitoring;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Daemon;
using Repmgr.Engine.Files;
using Repmgr.Engine.Logging;
using Repmgr.Tests.Daemon.Simulation;

namespace Repmgr.Tests.Daemon;

public sealed class WatchLoopTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("repmgr-loop-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    /// <summary>By a clock that stands still: no deadline passes, and so nothing but the signal itself can move the loop on.</summary>
    [Fact]
    public async Task A_signal_is_answered_while_servers_are_waited_for()
    {
        Assert.True(Conninfo.TryParse("host=sim port=5001", out Conninfo? conninfo, out _));
        Settings settings = Settings.Defaults with { NodeId = new NodeId(1), NodeName = "node1", Conninfo = conninfo };
        var loaded = new SettingsLoad.Loaded(settings, "/etc/repmgr.conf", new Dictionary<string, ConfPlace>(), []);
        var time = new StandingTime();
        var servers = new SilentServers();
        var log = new CapturedLog();
        var announcer = new Announcer((_, _, _, _) => Task.CompletedTask, log);
        var recorder = new Recorder(new SimulatedCluster(1), announcer, log, time);
        using var file = new Log("repmgrd", new LogTarget(Severity.Info, "STDERR", Path.Combine(_directory, "log"), LogFormat.Line), TimeProvider.System);
        using var systemd = new SdNotify(null, null);
        var mail = Channel.CreateUnbounded<Message>();
        var reloaded = new TaskCompletionSource();
        var loop = new WatchLoop(
            mail.Reader,
            new WatchTurns(servers, recorder, (_, _, _) => throw new InvalidOperationException("no command is set"), log, time),
            recorder, announcer, file, systemd, time,
            _ =>
            {
                reloaded.SetResult();
                return loaded;
            },
            _ => new LogTarget(Severity.Info, "STDERR", Path.Combine(_directory, "log"), LogFormat.Line));

        Task<ExitCode> running = loop.RunAsync(loaded);
        await servers.LookedAt.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.True(mail.Writer.TryWrite(Message.Reload));
        await reloaded.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.True(mail.Writer.TryWrite(Message.Stop));
        Assert.Equal(ExitCode.Success, await running.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
        Assert.Equal(1, servers.Looks);
    }

    private sealed class SilentServers : IServers
    {
        private readonly TaskCompletionSource<Sight> _never = new();

        public TaskCompletionSource LookedAt { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Looks { get; private set; }

        public Task<Sight> LookAsync(NodeId node, Conninfo conninfo, LookPolicy policy)
        {
            Looks++;
            LookedAt.TrySetResult();
            return _never.Task;
        }

        public Sight Unanswered(NodeId node) => new(node, new NodeProbe.Silent("no answer"), null);

        public void KeepOnly(IReadOnlyCollection<NodeId> nodes) { }
    }

    private sealed class StandingTime : TimeProvider
    {
        public override long GetTimestamp() => 0;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new NoTimer();

        private sealed class NoTimer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose() { }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}

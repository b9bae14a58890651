using Repmgr.Core.Cluster;
using Repmgr.Core.Monitoring;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Metadata;
using Repmgr.Engine.Processes;

namespace Repmgr.Engine.Daemon;

/// <summary>Runs one of the operator's commands. The simulator has its own.</summary>
public delegate Task<ProgramResult> HookRunner(HookCommand command, TimeSpan within, CancellationToken cancel);

/// <summary>Takes turns: looks at the servers, lets the machine decide, hands out what it ordered.</summary>
/// <param name="servers">How servers are looked at.</param>
/// <param name="recorder">Takes what is to be written.</param>
/// <param name="runHook">Runs <c>child_nodes_disconnect_command</c>.</param>
/// <param name="log">Hears what the machine says.</param>
/// <param name="time">The clock.</param>
public sealed class WatchTurns(IServers servers, Recorder recorder, HookRunner runHook, ILog log, TimeProvider time)
{
    private readonly long _began = time.GetTimestamp();
    private readonly HashSet<NodeId> _kept = [];
    private readonly List<Task<Sight>> _looks = [];
    private Rules? _rules;
    private IReadOnlyList<NodeRecord> _targets = [];
    private Task _hook = Task.CompletedTask;

    /// <summary>The longest a query of a look may take, whatever <c>async_query_timeout</c> says: the connection is then made anew.</summary>
    public static readonly TimeSpan LongestQuery = TimeSpan.FromSeconds(10);

    public WatchState State { get; private set; } = WatchState.Begin(TimeSpan.Zero);

    /// <summary>Takes settings over, from the next turn on: one that is at work ends by the old ones.</summary>
    public void Use(Settings settings, string configFile, Func<string, string?> environment)
    {
        TimeSpan within = settings.AsyncQueryTimeout > TimeSpan.Zero && settings.AsyncQueryTimeout < LongestQuery ? settings.AsyncQueryTimeout : LongestQuery;
        bool hasOwnQuery = settings.ConnectionCheckType == ConnectionCheckType.Query && settings.ConnectionCheckQuery != Settings.Defaults.ConnectionCheckQuery;
        _rules = new Rules(
            settings.Conninfo!,
            WatchPolicy.From(settings, configFile, environment),
            new LookPolicy(settings.ConnectionCheckType, within, hasOwnQuery ? settings.ConnectionCheckQuery : null));
    }

    /// <summary>One turn. It ends in bounded time whatever the servers do.</summary>
    /// <returns>The code to exit with; null to go on.</returns>
    public async Task<ExitCode?> TakeAsync(CancellationToken cancel)
    {
        Rules rules = _rules ?? throw new InvalidOperationException("no settings were given");
        Situation situation = await LookAsync(rules, cancel);
        Turn turn = WatchMachine.Decide(State, situation, rules.Policy);
        State = turn.Next;
        _targets = turn.Look;
        foreach (LogLine line in turn.Lines)
            log.Write(line);

        recorder.Aim(PrimaryConninfo(turn, rules.Conninfo));
        foreach (WatchAct act in turn.Acts)
        {
            if (act is WatchAct.RunChildCommand command)
                _hook = Task.Run(() => RunChildCommandAsync(command, cancel), cancel);
            else
                recorder.Hand(act);
        }

        return turn.Exit;
    }

    /// <summary>Ends with what was begun and is not waited for by anybody else.</summary>
    public Task FinishAsync() => _hook;

    private async Task<Situation> LookAsync(Rules rules, CancellationToken cancel)
    {
        NodeId self = rules.Policy.Self.Id;
        _kept.Clear();
        _looks.Clear();
        _kept.Add(self);
        _looks.Add(servers.LookAsync(self, rules.Conninfo, rules.Look));
        foreach (NodeRecord node in _targets)
        {
            _kept.Add(node.Id);
            _looks.Add(servers.LookAsync(node.Id, NodeReach.Of(node, rules.Conninfo), rules.Look));
        }

        await WaitAsync(Task.WhenAll(_looks), cancel);
        Sight own = await AnswerAsync(0, self);
        var others = new Sight[_targets.Count];
        for (int index = 0; index < others.Length; index++)
            others[index] = await AnswerAsync(index + 1, _targets[index].Id);
        servers.KeepOnly(_kept);
        return new Situation(time.GetElapsedTime(_began), own, others);
    }

    private async Task WaitAsync(Task looks, CancellationToken cancel)
    {
        try
        {
            await looks.WaitAsync(Servers.LookWithin, time, cancel);
        }
        catch (TimeoutException)
        {
            // Who has not answered by now is seen as silent; the look itself goes on.
        }
    }

    private async ValueTask<Sight> AnswerAsync(int index, NodeId node) => _looks[index].IsCompleted ? await _looks[index] : servers.Unanswered(node);

    /// <summary>Where to write: only a primary that was seen alive in this turn, and only if there is no second one.</summary>
    private static Conninfo? PrimaryConninfo(Turn turn, Conninfo own)
    {
        if (turn.Seen.Own.Probe is NodeProbe.Primary)
            return own;
        Sight[] primaries = [.. turn.Seen.Others.Where(sight => sight.Probe is NodeProbe.Primary)];
        return primaries is [var only] && turn.Next.Known.FirstOrDefault(node => node.Id == only.Node) is { } record ? NodeReach.Of(record, own) : null;
    }

    private async Task RunChildCommandAsync(WatchAct.RunChildCommand act, CancellationToken cancel)
    {
        HookCommand command = HookCommand.Compose(act.Template, new Dictionary<char, HookValue> { ['p'] = new("REPMGR_NODE_ID", act.Self.ToString()) });
        ProgramResult result = await runHook(command, EventRecorder.NotifyWithin, cancel);
        string details = result.Succeeded ? $"child_nodes_disconnect_command ran: {act.Why}" : result.Explain(act.Template);
        log.Write(new LogLine(result.Succeeded ? Severity.Notice : Severity.Error, details));
        recorder.Hand(new WatchAct.Tell(new ClusterEvent(act.Self, EventName.ChildNodesDisconnectCommand, result.Succeeded, details)));
    }

    /// <summary>What the settings mean for a turn.</summary>
    private sealed record Rules(Conninfo Conninfo, WatchPolicy Policy, LookPolicy Look);
}

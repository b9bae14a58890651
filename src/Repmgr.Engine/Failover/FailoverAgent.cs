using System.Globalization;
using System.Security.Cryptography;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Hosts;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Postgres;
using StepOutcome = Repmgr.Core.Failover.StepOutcome;

namespace Repmgr.Engine.Failover;

/// <summary>Makes an agent's answers reachable: address and port as in <c>api_listen</c>; disposing of it ends that.</summary>
public delegate Task<IAsyncDisposable> ApiListener(AgentApi api, string listen, CancellationToken cancel);

/// <summary>The agent of a node with <c>failover = automatic</c>: the machine of docs/failover.md with its hands and eyes.</summary>
/// <param name="settings">The node's configuration.</param>
/// <param name="configFile">Where that came from.</param>
/// <param name="connector">Makes connections.</param>
/// <param name="listen">Opens the API.</param>
/// <param name="announce">Hears what is to be recorded as an event.</param>
/// <param name="log">Hears everything.</param>
public sealed class FailoverAgent(
    Settings settings, string configFile, PostgresConnector connector, ApiListener listen, Action<ClusterEvent> announce, ILog log)
{
    private static readonly TimeSpan RefreshEvery = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan LookForVotersEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(5);

    private readonly TaskCompletionSource _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<string, string> _lastEdges = [];
    private AgentLoop? _loop;
    private Lsn? _notFetched;
    private bool _isRenamed;
    private StateDirectory? _state;

    /// <summary>Where an agent of this node has left its state; null: nowhere that can be told from the settings.</summary>
    public static string? LeftState(Settings settings) =>
        (settings.StateDirectory ?? (settings.DataDirectory is { } data ? StateDirectory.DefaultFor(data) : null)) is { } path && Directory.Exists(path) ? path : null;

    /// <summary>Runs until it is cancelled, or cannot go on. Then it says why, and the node is only watched.</summary>
    /// <exception cref="InvalidOperationException">A defect: the process is to end and be started anew.</exception>
    public async Task RunAsync(CancellationToken cancel)
    {
        AgentPolicy policy = Policy(settings);
        if (!LeaseTimes.AreSound(policy))
        {
            log.Error(
                $"there is no automatic failover: lease_ttl leaves no room for two renewals",
                string.Create(CultureInfo.InvariantCulture, $"Of {policy.Ttl.TotalSeconds:0.###} s, {policy.DriftMargin.TotalSeconds:0.###} s are kept for clocks that differ and {policy.FenceBudget.TotalSeconds:0.###} s for taking the server out of service."),
                "Raise lease_ttl, or lower lease_renew_interval.");
            return;
        }

        if (await NodeAsync(cancel) is not { } node)
            return;
        (StateDirectory? state, Problem? problem) = StateDirectory.Open(settings.StateDirectory ?? StateDirectory.DefaultFor(node.DataDirectory), node.DataDirectory, node.Id);
        if (state is null)
        {
            log.Write(Severity.Error, problem!);
            return;
        }

        using (state)
        {
            _state = state;
            await RunAsync(node, state, policy, cancel);
        }
    }

    /// <summary>Tells the others that this agent will be back, and ends (R14).</summary>
    public async Task StopAsync()
    {
        if (_loop is not { } loop)
            return;
        loop.Post(at => new Input.StopRequested(at));
        await Task.WhenAny(_exit.Task, loop.Ended, Task.Delay(StopWithin));
        loop.Stop();
    }

    private static AgentPolicy Policy(Settings settings) => new()
    {
        Ttl = settings.LeaseTtl,
        RenewEvery = settings.LeaseRenewInterval,
        DriftMargin = settings.LeaseTtl * 0.1,
        WalRescueTimeout = settings.WalRescueTimeout,
        RestartGrace = settings.AgentRestartGrace,
        FailoverCooldown = settings.FailoverCooldown,
        MaximumLag = settings.MaximumLagOnFailover is { } bytes ? (ulong)bytes : null,
        Priority = settings.Priority,
        IsDelayed = settings.RecoveryMinApplyDelay > TimeSpan.Zero,
        Location = settings.Location,
    };

    private async Task<AgentNode?> NodeAsync(CancellationToken cancel)
    {
        LocalHostLook look = await LocalHost.LookAsync(settings, null, cancel);
        if (look is { DataDirectory: Detected<string>.Found directory, Bindir: Detected<string>.Found bindir })
            return new AgentNode(settings, configFile, directory.Value, new PostgresBinaries(bindir.Value), connector);
        foreach (Problem problem in look.Unclear)
            log.Write(Severity.Error, problem);
        log.Error("there is no automatic failover: it is not clear where this node's server is");
        return null;
    }

    private async Task RunAsync(AgentNode node, StateDirectory state, AgentPolicy policy, CancellationToken cancel)
    {
        ulong boot = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        string address = AgentAddress.Of(settings, node.Conninfo["host"]?.Split(',')[0]);
        var founding = new Founding(node, state, address, policy, log);
        if (state.Secret() is null)
            _ = await founding.TablesAsync(cancel);
        var seal = new MessageSeal(state.Secret()!);
        using var peers = new Peers(seal, state.Content.Voter, boot, policy.Ttl / 2, log);
        foreach (KnownNode known in state.Content.Nodes.Where(known => known.Id != node.Id))
            peers.Know(known.Id, known.Address);

        CommitProbe? probe = null;
        await using var eyes = new ServerEyes(node, (taken, view) => Post(at => new Input.Observed(at, taken, view)), () => probe!, log);
        var flag = new SyncFlag(node.DataDirectory);
        probe = new CommitProbe(node, IsSynchronous, Kept, flag, eyes.Nudge, log);
        var hooks = new AgentHooks(settings, node.Id, node.Name, log);
        var steps = new ServerSteps(node, eyes, hooks, Known, () => [.. Members().Select(voter => voter.Id.Node)], IsSynchronous, log);
        var synchronous = new SynchronousSteps(node, flag);
        var rescue = new WalRescue(node, steps, peers, state.Path, policy.WalRescueTimeout, log);
        var rejoin = new Rejoin(node, eyes, steps, state.DivergedWal, Known, announce, log);
        var api = new AgentApi(
            seal, node.Id, boot, envelope => Post(at => new Input.Received(at, envelope)),
            () => new AgentGreeting(state.Content.Voter, ProductVersion.Text, state.Content.Durable is not null) { Holds = History() }, rescue.Serve, rescue.Timeline,
            () => Health(node), () => Report(node, founding),
            request => _loop?.AskAsync(request) ?? Task.FromResult(new Reply($"The agent of node {node.Id} takes no part in failover yet: {founding.Said}.")));
        await using IAsyncDisposable listening = await listen(api, settings.ApiListen, cancel);

        var echoes = new Echoes(policy.RenewEvery, Post);
        using var guard = new GuardLink(Environment.ProcessPath!, state.Path, node.DataDirectory, policy.RenewEvery * 2, echoes.Hear, log);
        guard.Start();
        DurableState durable = state.Content.Durable ?? await founding.AwaitAsync(peers, order => echoes.AskAsync(guard, order), cancel);
        // What an agent that goes on needs at once is there before it begins: connections, the guard, and where the others are.
        await eyes.WarmUpAsync(cancel);
        var directory = new AgentDirectory(connector, node.Conninfo, state, peers, address, log);
        while (Known(node.Id) is null && !await directory.RefreshAsync(node.Conninfo, cancel))
            await Task.Delay(ServerEyes.Every, cancel);
        while (!await echoes.AskAsync(guard, new GuardOrder(null)))
            cancel.ThrowIfCancellationRequested();

        using var queue = new StepQueue(
            (step, token) => DoAsync(step, hooks, steps, synchronous, rescue, rejoin, policy, token), (step, outcome) => Done(node, eyes, probe, step, outcome), log);
        var writer = new StateWriter(
            written => state.Change(content => content with { Durable = written }), version => Post(at => new Input.Persisted(at, version)), log);
        writer.Start();
        AgentState begin = AgentState.Begin(state.Content.Voter, boot, policy, durable, BootClock.Now);
        _loop = new AgentLoop(begin, new AgentHands(peers.Send, queue.Order, guard.Tell, writer.Write, edge => Happened(node, edge), guard.Check), log);
        log.Notice($"the agent of node {node.Id} runs: {durable.Membership.Voters.Count} voters, term {durable.Term}", $"It listens at {settings.ApiListen}, keeps its state in \"{state.Path}\", and is reached at {address}.");
        _loop.Start();
        var admission = new Admission(node, peers, () => _loop?.State, Post, log);

        if (Differing(durable.Set) is { } differing)
            log.Write(Severity.Warning, differing);
        Task[] working = [eyes.RunAsync(cancel), .. probe.Run(policy.RenewEvery, cancel), RefreshAsync(node, directory, cancel), admission.RunAsync(cancel)];
        Task<Exception?> ended = _loop.Ended;
        await Task.WhenAny([.. working, ended]);
        if (ended.IsCompleted && await ended is { } defect)
            throw new InvalidOperationException(defect.Message, defect);
        await (ended.IsCompleted ? Task.CompletedTask : Task.WhenAny(working).Unwrap());
    }

    private void Post(Func<TimeSpan, Input> input) => _loop?.Post(input);

    private KnownNode? Known(NodeId id) => _state!.Content.Nodes.FirstOrDefault(known => known.Id == id);

    private TermHistory? History() => _loop?.State is { Role: Role.Holding { Stage: HoldingStage.Serving }, Durable.Announced: var history } ? history : null;

    private IEnumerable<Voter> Members() => _loop!.State.Durable.Membership.Voters.Where(voter => voter.HasData);

    private async Task<StepOutcome> DoAsync(
        AgentStep step, AgentHooks hooks, ServerSteps steps, SynchronousSteps synchronous, WalRescue rescue, Rejoin rejoin, AgentPolicy policy, CancellationToken cancel)
    {
        log.Info(StepText.Of(step));
        switch (step)
        {
            case AgentStep.Fence fence:
                StepOutcome fenced = await steps.FenceAsync(fence.IsOrderly, cancel);
                hooks.AfterDemote();
                return fenced;
            case AgentStep.CutReceiver:
                return await steps.CutAsync(cancel);
            case AgentStep.FetchWal fetch:
                StepOutcome fetched = await rescue.FetchAsync(fetch, cancel);
                _notFetched = fetched is StepOutcome.Failed ? fetch.Until : null;
                return fetched;
            case AgentStep.StartServer:
                return await steps.StartAsync(cancel);
            case AgentStep.Promote promote:
                await hooks.BeforePromoteAsync(promote, cancel);
                StepOutcome promoted = await steps.PromoteAsync(promote, policy.PromoteTimeout, cancel);
                if (promoted is StepOutcome.Done)
                    hooks.AfterPromote(promote);
                return promoted;
            case AgentStep.Follow follow:
                return await FollowAsync(follow, hooks, steps, cancel);
            case AgentStep.SetSynchronous set:
                return await synchronous.SetAsync(set.Set, cancel);
            case AgentStep.Rebuild rebuild:
                DurableState durable = _loop!.State.Durable;
                Lsn fork = durable is { Data: { } data, Rebuilding: { } rebuilding } ? data.CommonUntil(rebuilding.History) : Lsn.Zero;
                return await rejoin.RebuildAsync(rebuild, fork, cancel);
            case AgentStep.Exit:
                _exit.TrySetResult();
                return new StepOutcome.Done();
            default:
                return new StepOutcome.Failed("this version does not know how to");
        }
    }

    /// <summary>A member that only takes another name follows whom it followed before.</summary>
    private async Task<StepOutcome> FollowAsync(AgentStep.Follow follow, AgentHooks hooks, ServerSteps steps, CancellationToken cancel)
    {
        _isRenamed = _loop!.State.Server is ServerView.Recovering { Upstream: { } upstream } && upstream == follow.Holder;
        if (_isRenamed)
            return await steps.FollowAsync(follow, cancel);
        await hooks.BeforeFollowAsync(follow, cancel);
        StepOutcome followed = await steps.FollowAsync(follow, cancel);
        if (followed is StepOutcome.Done)
            hooks.AfterFollow(follow);
        return followed;
    }

    private bool IsSynchronous() => _loop?.State.Durable.Set is { Mode: not SyncMode.Off };

    private KeptSet? Kept() => _loop?.State is { Role: Role.Holding { Stage: HoldingStage.Serving } holding, Durable: { InForce: { } inForce, Set.Mode: not SyncMode.Off } }
        ? new KeptSet(inForce, holding.Set.SetAt)
        : null;

    /// <summary>What the cluster remembers counts, not what this node's file says (R13); null: they agree.</summary>
    private Problem? Differing(RememberedSet? set)
    {
        (SyncMode mode, int count) = set is null ? (SyncMode.Off, settings.SynchronousNodeCount) : (set.Mode, set.Wanted);
        return mode == settings.Synchronous && (mode == SyncMode.Off || count == settings.SynchronousNodeCount)
            ? null
            : new Problem(
                string.Create(CultureInfo.InvariantCulture, $"synchronous = {Word(settings.Synchronous)} with synchronous_node_count = {settings.SynchronousNodeCount} is not what the cluster has agreed on"),
                string.Create(CultureInfo.InvariantCulture, $"It remembers synchronous = {Word(mode)}, synchronous_node_count = {count} since its failover began, and that counts."),
                "Write the same into repmgr.conf.");

        static string Word(SyncMode mode) => mode.ToString().ToLowerInvariant();
    }

    private void Done(AgentNode node, ServerEyes eyes, CommitProbe probe, AgentStep step, StepOutcome outcome)
    {
        Post(at => new Input.Finished(at, step, outcome));
        if (step is AgentStep.SetSynchronous)
            probe.Nudge();
        eyes.Nudge();
        if (step is AgentStep.Follow follow && outcome is StepOutcome.Done && !_isRenamed)
            announce(new ClusterEvent(node.Id, EventName.RepmgrdFailoverFollow, Successful: true, $"node {node.Id} follows node {follow.Holder} in term {follow.Term}"));
    }

    private void Happened(AgentNode node, Edge edge)
    {
        LogLine line = EdgeText.Of(edge);
        // What is tried again and again with the same result is said once.
        bool isRepeated = edge.Name is "Asks" or "NoMajority" or "LetsBetterStand" or "NotEligible" or "IsBehind"
            && _lastEdges.TryGetValue(edge.Name, out string? evidence) && evidence == edge.Evidence;
        if (edge.Name is "Promoted" or "Resumes" or "HolderAppears")
            _lastEdges.Clear();
        _lastEdges[edge.Name] = edge.Evidence;
        log.Write(isRepeated ? line with { Severity = Severity.Debug } : line);
        if (edge.Name == "Promoted")
            announce(new ClusterEvent(node.Id, EventName.RepmgrdFailoverPromote, Successful: true, $"node {node.Id} was promoted{Missing()}"));
        if (edge.Name is "PromotionFailed" or "PromotionTooSlow" or "NotPromoted")
            announce(new ClusterEvent(node.Id, EventName.RepmgrdPromoteError, Successful: false, edge.Evidence));
    }

    /// <summary>What the former primary said it had, and nobody who voted had received; empty: nothing is known to be missing.</summary>
    private string Missing()
    {
        AgentState state = _loop!.State;
        Lsn begin = state.Durable.Announced.Newest.Begin;
        Lsn end = Lsn.Max(_notFetched ?? Lsn.Zero, state.Leader?.Position ?? Lsn.Zero);
        _notFetched = null;
        if (end <= begin)
            return "";
        ulong bytes = (ulong)(end - begin);
        log.Warning(
            $"WAL of the former primary is missing: {begin} to {end}",
            string.Create(CultureInfo.InvariantCulture, $"That is at least {bytes} bytes, which it had written and no node that voted had received."),
            "When that node is back, its agent keeps them, and says how many transactions lie in them.");
        return string.Create(CultureInfo.InvariantCulture, $"; WAL of the former primary is missing: {begin} to {end}, at least {bytes} bytes");
    }

    /// <summary>Keeps what must be known when all servers are down: how nodes and their agents are reached. Who has become a voter is looked up at once.</summary>
    private async Task RefreshAsync(AgentNode node, AgentDirectory directory, CancellationToken cancel)
    {
        Membership? known = null;
        TimeSpan next = BootClock.Now + RefreshEvery;
        while (true)
        {
            await Task.Delay(LookForVotersEvery, cancel);
            Membership? now = _loop?.State.Durable.Membership;
            if (BootClock.Now < next && (now is null || now.Equals(known)))
                continue;
            known = await directory.RefreshAsync(node.Conninfo, cancel) ? now : null;
            next = BootClock.Now + RefreshEvery;
        }
    }

    private AgentReport Report(AgentNode node, Founding founding) =>
        (_loop is { } loop ? AgentReport.Of(loop.State, BootClock.Now) : new AgentReport { Node = node.Id, Role = "Starting", Waits = founding.Said }) with
        {
            Name = node.Name,
            Version = ProductVersion.Text,
            Pid = Environment.ProcessId,
        };

    private AgentHealth Health(AgentNode node)
    {
        AgentState? state = _loop?.State;
        ServerView? server = state?.Server;
        var holding = state?.Role as Role.Holding;
        ulong? lag = state is { Leader: { } leader, Server: ServerView.Recovering { Position: { } end } }
            ? end >= leader.Position ? 0 : (ulong)(leader.Position - end)
            : null;
        bool isPrimary = holding is { Stage: HoldingStage.Serving, End: { } until } && until > BootClock.Now && server is ServerView.Writable;
        return new AgentHealth(
            node.Id.Value, node.Name, server is ServerView.Writable or ServerView.Recovering, isPrimary, server is ServerView.Recovering,
            server is ServerView.Recovering { Upstream: not null }, lag, state?.Durable.Term.Number ?? 0,
            holding is not null ? node.Id.Value : state?.Leader is { } known && known.Term == state.Durable.Term ? known.Node.Value : null,
            state is null ? "waiting" : state.Role.GetType().Name.ToLowerInvariant(),
            holding?.End - BootClock.Now, state?.Durable.Membership.Voters.Count ?? 0)
        {
            Commits = CommitProtection.Of(state),
        };
    }

    /// <summary>Echoes of the guard, on their way to the loop. One that waited too long says nothing about the present (R4).</summary>
    private sealed class Echoes(TimeSpan freshFor, Action<Func<TimeSpan, Input>> post)
    {
        private static readonly TimeSpan Within = TimeSpan.FromSeconds(1);

        private volatile TaskCompletionSource<TimeSpan?>? _asked;

        public void Hear(TimeSpan? deadline, TimeSpan sent)
        {
            if (BootClock.Now - sent > freshFor)
                return;
            _asked?.TrySetResult(deadline);
            post(at => new Input.GuardEcho(at, deadline));
        }

        public async Task<bool> AskAsync(GuardLink guard, GuardOrder order)
        {
            var answer = new TaskCompletionSource<TimeSpan?>(TaskCreationOptions.RunContinuationsAsynchronously);
            _asked = answer;
            guard.Tell(order);
            if (await Task.WhenAny(answer.Task, Task.Delay(Within)) != answer.Task)
                return false;
            return order.Deadline is not { } deadline || await answer.Task >= deadline;
        }
    }
}

using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Hosts;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Failover.Store;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Observation;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Failover;

/// <summary>Makes an agent's answers reachable: address and port as in <c>api_listen</c>, with TLS where there are certificates; disposing of it ends that.</summary>
public delegate Task<IAsyncDisposable> ApiListener(AgentApi api, string listen, AgentCertificates? certificates, CancellationToken cancel);

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
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(5);

    private readonly TaskCompletionSource _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly LoopLink _link = new();

    /// <summary>Where an agent of this node has left its state; null: nowhere that can be told from the settings.</summary>
    public static string? LeftState(Settings settings) =>
        (settings.StateDirectory ?? (settings.DataDirectory is { } data ? StateDirectory.DefaultFor(data) : null)) is { } path && Directory.Exists(path) ? path : null;

    /// <summary>Runs until it is cancelled, or cannot go on. Then it says why, and the node is only watched.</summary>
    /// <exception cref="InvalidOperationException">A defect: the process is to end and be started anew.</exception>
    public async Task RunAsync(CancellationToken cancel)
    {
        AgentPolicy policy = Policy(settings);
        var certificates = AgentCertificates.Of(settings, log);
        if (certificates?.Problem is { } unusable)
        {
            log.Error($"there is no automatic failover: {unusable.Message}", unusable.Detail, unusable.Hint);
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
            await RunAsync(node, state, policy, certificates, cancel);
    }

    /// <summary>Tells the others that this agent will be back, and ends (R14).</summary>
    public async Task StopAsync()
    {
        if (_link.Loop is not { } loop)
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

    private async Task RunAsync(AgentNode node, StateDirectory state, AgentPolicy policy, AgentCertificates? certificates, CancellationToken cancel)
    {
        string address = AgentAddress.Of(settings, node.Conninfo["host"]?.Split(',')[0]);
        (EtcdOptions? options, Problem? unusable) = settings.EtcdEndpoints.Count > 0 ? EtcdOptions.Of(settings) : (null, null);
        if (unusable is not null)
        {
            log.Write(Severity.Error, unusable);
            return;
        }

        // What the cluster has agreed on counts, whatever this node's file says. Of one that is to be founded, the founder's file does.
        AgentPolicy agreed = policy.Under(state.Content.Durable?.Membership.Times);
        if (state.Content.Durable is not null && LeaseTimes.Unsound(agreed) is { } unsound)
        {
            log.Error($"there is no automatic failover: {unsound.Message}", unsound.Detail, unsound.Hint);
            return;
        }

        using StoreLink? store = options is null ? null : StoreLink.Of(options, settings.EtcdPrefix, state.Content.Voter, policy, _link, log);
        var founding = new Founding(node, state, address, policy, settings.LeaseStore == LeaseStore.Etcd ? store : null, log);
        if (state.Secret() is null)
            _ = await founding.TablesAsync(cancel);
        await using var parts = new AgentParts(node, state, policy, certificates, _link, announce, log);
        var echoes = new GuardEchoes(policy.RenewEvery, _link.Post);
        using var guard = new GuardLink(Environment.ProcessPath!, state.Path, node.DataDirectory, WatchdogFor(agreed), policy.RenewEvery * 2, echoes.Hear, log);
        var reports = new AgentReports(node.Id, node.Name, () => _link.State, () => founding.Said, () => guard.HasWatchdog);
        var api = new AgentApi(
            parts.Seal, node.Id, parts.Boot, _link.DeliverAsync, () => parts.Greet(_link.HeldHistory),
            parts.Rescue.Serve, parts.Rescue.Timeline, reports.Health, () => reports.Report() with { Store = store?.Report() },
            request => _link.AskAsync(request, () => $"The agent of node {node.Id} takes no part in failover yet: {founding.Said}."))
        {
            Began = () => state.Content.Began ?? [],
            NameOf = id => state.Known(id)?.Name,
            Reach = new AgentReach(
                node.Id, node.Conninfo, () => state.Content.Nodes, new NodeObserver(connector),
                () => new AgentsLook(state.Secret()!, node.Id, state.Content.Nodes, connector, certificates)),
        };
        await using IAsyncDisposable listening = await listen(api, settings.ApiListen, certificates, cancel);

        guard.Start();
        DurableState durable = state.Content.Durable ?? await founding.AwaitAsync(parts.Peers, order => echoes.AskAsync(guard, order), cancel);
        // What an agent that goes on needs at once is there before it begins: connections, the guard, and where the others are.
        await parts.Eyes.WarmUpAsync(cancel);
        var directory = new AgentDirectory(connector, node.Conninfo, state, parts.Peers, address, log);
        while (state.Known(node.Id) is null && !await directory.RefreshAsync(node.Conninfo, cancel))
            await Task.Delay(ServerEyes.Every, cancel);
        while (!await echoes.AskAsync(guard, new GuardOrder(null)))
            cancel.ThrowIfCancellationRequested();
        AgreedDifferences.Warn(settings, durable, log);

        var events = new AgentEvents(node.Id, () => _link.State, announce, log);
        var steps = new AgentSteps(parts, _link, policy.PromoteTimeout, () => _exit.TrySetResult(), log);
        using var queue = new StepQueue(steps.DoAsync, (step, result) => Done(parts, events, step, result), log);
        var writer = new StateWriter(
            written => state.Change(content => content with { Durable = written }), version => _link.Post(at => new Input.Persisted(at, version)), log);
        writer.Start();
        AgentState begin = AgentState.Begin(state.Content.Voter, parts.Boot, policy, durable, BootClock.Now);
        log.Notice($"the agent of node {node.Id} runs: {durable.Membership.Voters.Count} voters, term {durable.Term}", $"It listens at {settings.ApiListen}, keeps its state in \"{state.Path}\", and is reached at {address}.");
        _link.Begin(new AgentLoop(begin, new AgentHands(Send, queue.Order, guard.Tell, writer.Write, events.Happened, EveryTurn), log));
        var admission = new Admission(node, parts.Peers, () => _link.State, _link.Post, log);
        await _link.AwaitEndAsync(
        [
            parts.Eyes.RunAsync(cancel),
            .. parts.Probe.Run(policy.RenewEvery, cancel),
            directory.KeepAsync(() => [node.Conninfo], () => _link.State?.Durable.Membership, cancel),
            admission.RunAsync(cancel),
            store?.RunAsync(cancel) ?? Task.Delay(Timeout.Infinite, cancel),
        ]);

        void EveryTurn(TimeSpan at)
        {
            guard.Check(at);
            parts.Probe.Turned();
            AgentPolicy now = _link.State!.Policy;
            if (now.Ttl == agreed.Ttl)
                return;
            guard.Use(WatchdogFor(agreed = now));
            // Its echo says which watchdog it has: one that is to be replaced is replaced now, and not when this node is elected.
            guard.Tell(new GuardOrder(null));
        }

        void Send(Envelope envelope)
        {
            if (envelope.To == VoterId.StoreNode)
                store?.Send(envelope);
            else
                parts.Peers.Send(envelope);
        }
    }

    private WatchdogOrder? WatchdogFor(AgentPolicy policy)
    {
        (WatchdogOrder? order, Problem? unusable) = WatchdogOrder.For(settings, policy);
        if (unusable is not null)
            log.Write(Severity.Error, unusable);
        return order;
    }

    private void Done(AgentParts parts, AgentEvents events, AgentStep step, StepResult result)
    {
        _link.Post(at => new Input.Finished(at, step, result.Outcome));
        if (step is AgentStep.SetSynchronous)
            parts.Probe.Nudge();
        parts.Eyes.Nudge();
        events.Finished(step, result);
    }
}

using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Observation;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Failover;

/// <summary>The agent of a witness: it votes, and has no server. <c>conninfo</c> leads to the cluster (docs/adr/0103).</summary>
/// <param name="settings">The witness's configuration.</param>
/// <param name="connector">Makes connections.</param>
/// <param name="listen">Opens the API.</param>
/// <param name="log">Hears everything.</param>
public sealed class WitnessAgent(Settings settings, PostgresConnector connector, ApiListener listen, ILog log)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1), StopWithin = TimeSpan.FromSeconds(2);

    private readonly LoopLink _link = new();
    private readonly SaidOnce _said = new(log);

    private NodeId Id => settings.NodeId!.Value;

    private string Name => settings.NodeName ?? $"node{Id}";

    private string Home => HomeOf(settings);

    /// <summary>Whether the node of this configuration is a witness: what its agent has left says so, else its record.</summary>
    public static async Task<bool> IsOneAsync(Settings settings, PostgresConnector connector, CancellationToken cancel)
    {
        if (settings is not { DataDirectory: null, NodeId: { } id, Conninfo: { } conninfo })
            return false;
        if (StateDirectory.Peek(HomeOf(settings)) is { Durable: { } durable })
            return durable.Data is null;
        return await AgentTables.ReadAsync(connector, conninfo, cancel) is Answer<AgentTables>.Got { Value: var tables }
            && tables.Nodes.Any(record => record.Id == id && record.Type == NodeType.Witness);
    }

    /// <summary>Runs until it is cancelled, or cannot go on; then it says why.</summary>
    /// <exception cref="InvalidOperationException">A defect: the process is to end and be started anew.</exception>
    public async Task RunAsync(CancellationToken cancel)
    {
        var certificates = AgentCertificates.Of(settings, log);
        if (certificates?.Problem is { } unusable)
        {
            log.Error($"this witness does not vote: {unusable.Message}", unusable.Detail, unusable.Hint);
            return;
        }

        (StateDirectory? opened, Problem? problem) = StateDirectory.Open(Home, null, Id);
        if (opened is null)
        {
            log.Write(Severity.Error, problem!);
            return;
        }

        using StateDirectory state = opened;
        var policy = new AgentPolicy { Ttl = settings.LeaseTtl, RenewEvery = settings.LeaseRenewInterval, RestartGrace = settings.AgentRestartGrace };
        string address = AgentAddress.Of(settings, null);
        while (state.Secret() is null && await TablesAsync(state, cancel) is null)
            await Task.Delay(Every, cancel);
        var seal = new MessageSeal(state.Secret()!);
        ulong boot = AgentParts.NewBoot();
        using Peers peers = Peers.Of(state, seal, boot, policy.Ttl / 2, _link, certificates, log);
        var reports = new AgentReports(Id, Name, () => _link.State, () => null, () => false);
        var api = new AgentApi(
            seal, Id, boot, _link.DeliverAsync,
            () => new AgentGreeting(state.Content.Voter, ProductVersion.Text, state.Content.Durable is not null), (_, _) => null, () => null, reports.HealthOfWitness, reports.Report,
            request => _link.AskAsync(request, () => "The agent of this witness takes no part in failover yet."))
        {
            Began = () => state.Content.Began ?? [],
            NameOf = id => state.Known(id)?.Name,
            Reach = new AgentReach(
                Id, settings.Conninfo!, () => state.Content.Nodes, new NodeObserver(connector),
                () => new AgentsLook(state.Secret()!, Id, state.Content.Nodes, connector, certificates)),
        };
        await using IAsyncDisposable listening = await listen(api, settings.ApiListen, certificates, cancel);

        var directory = new AgentDirectory(connector, settings.Conninfo!, state, peers, address, log);
        DurableState durable = state.Content.Durable ?? await BeginAsync(state, directory, policy, cancel);
        AgreedDifferences.Warn(settings, durable, log);
        var writer = new StateWriter(written => state.Change(content => content with { Durable = written }), version => _link.Post(at => new Input.Persisted(at, version)), log);
        writer.Start();
        log.Notice($"the agent of witness {Id} runs: {durable.Membership.Voters.Count} voters, term {durable.Term}", $"It listens at {settings.ApiListen}, keeps its state in \"{state.Path}\", and is reached at {address}.");
        _link.Begin(new AgentLoop(
            AgentState.Begin(state.Content.Voter, boot, policy, durable, BootClock.Now),
            new AgentHands(peers.Send, _ => { }, _ => { }, writer.Write, edge => log.Write(EdgeText.Of(edge)), _ => { }), log));
        await _link.AwaitEndAsync([directory.KeepAsync(() => Servers(state), () => _link.State?.Durable.Membership, cancel)]);
    }

    /// <summary>Nobody waits for a witness: what it has promised is on its disk.</summary>
    public async Task StopAsync()
    {
        if (_link.Loop is not { } loop)
            return;
        loop.Stop();
        await Task.WhenAny(loop.Ended, Task.Delay(StopWithin));
    }

    private static string HomeOf(Settings settings) => settings.StateDirectory ?? StateDirectory.DefaultForWitness(settings.NodeId!.Value);

    /// <summary>Any server of the cluster that answers: that of conninfo first.</summary>
    private IEnumerable<Conninfo> Servers(StateDirectory state)
    {
        yield return settings.Conninfo!;
        foreach (KnownNode known in state.Content.Nodes.Where(known => known.Id != Id))
        {
            if (Conninfo.TryParse(known.Conninfo, out Conninfo? conninfo, out _))
                yield return NodeReach.AsOwn(conninfo, settings.Conninfo!);
        }
    }

    private async Task<(AgentTables Tables, Conninfo From)?> TablesAsync(StateDirectory state, CancellationToken cancel)
    {
        string why = "";
        foreach (Conninfo server in Servers(state))
        {
            switch (await AgentTables.ReadAsync(connector, server, cancel))
            {
                case Answer<AgentTables>.Got got:
                    state.KeepSecret(got.Value.Secret);
                    return (got.Value, server);
                case Answer<AgentTables>.Failed failed:
                    why = failed.Reason;
                    break;
            }
        }

        _said.Say(Severity.Warning, "the agent of this witness waits: no server of the cluster lets it read what it needs", $"{why.TrimEnd('.')}.");
        return null;
    }

    /// <summary>Waits until the cluster is founded, or has been, and says who it is; whoever holds the lease admits it then.</summary>
    private async Task<DurableState> BeginAsync(StateDirectory state, AgentDirectory directory, AgentPolicy policy, CancellationToken cancel)
    {
        while (true)
        {
            if (await TablesAsync(state, cancel) is var (tables, from))
            {
                await directory.RefreshAsync(from, cancel);
                bool isRegistered = tables.Nodes.Any(record => record.Id == Id && record.Type == NodeType.Witness);
                if (tables.Founding is { } founding && founding.Voters.Any(voter => voter.Id == state.Content.Voter))
                {
                    DurableState first = Founding.First(founding, Id, policy);
                    state.Change(content => content with { Durable = first });
                    return first;
                }

                if (tables.Founding is not null && isRegistered)
                {
                    log.Notice("this witness waits to be admitted as a voter");
                    return DurableState.Unadmitted(null);
                }

                _said.Say(
                    Severity.Warning, isRegistered ? "this witness waits for automatic failover to begin" : $"node {Id} is not registered as a witness, and no voter", null,
                    isRegistered ? "It begins when the agents of all registered nodes run." : "Register it with \"repmgr witness register\".");
            }

            await Task.Delay(Every, cancel);
        }
    }
}

using System.Security.Cryptography;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Failover;

/// <summary>The agent of a witness: it votes, and has no server. <c>conninfo</c> leads to the cluster (docs/adr/0103).</summary>
/// <param name="settings">The witness's configuration.</param>
/// <param name="connector">Makes connections.</param>
/// <param name="listen">Opens the API.</param>
/// <param name="log">Hears everything.</param>
public sealed class WitnessAgent(Settings settings, PostgresConnector connector, ApiListener listen, ILog log)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1), RefreshEvery = TimeSpan.FromSeconds(20), StopWithin = TimeSpan.FromSeconds(2);

    private AgentLoop? _loop;
    private string _said = "";

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
        ulong boot = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        using var peers = new Peers(seal, state.Content.Voter, boot, policy.Ttl / 2, log);
        foreach (KnownNode known in state.Content.Nodes.Where(known => known.Id != Id))
            peers.Know(known.Id, known.Address);
        var api = new AgentApi(
            seal, Id, boot, envelope => Post(at => new Input.Received(at, envelope)),
            () => new AgentGreeting(state.Content.Voter, ProductVersion.Text, state.Content.Durable is not null), (_, _) => null, () => null, Health, Report,
            request => _loop?.AskAsync(request) ?? Task.FromResult(new Reply("The agent of this witness takes no part in failover yet.")));
        await using IAsyncDisposable listening = await listen(api, settings.ApiListen, cancel);

        var directory = new AgentDirectory(connector, settings.Conninfo!, state, peers, address, log);
        DurableState durable = state.Content.Durable ?? await BeginAsync(state, directory, policy, cancel);
        var writer = new StateWriter(written => state.Change(content => content with { Durable = written }), version => Post(at => new Input.Persisted(at, version)), log);
        writer.Start();
        _loop = new AgentLoop(
            AgentState.Begin(state.Content.Voter, boot, policy, durable, BootClock.Now),
            new AgentHands(peers.Send, _ => { }, _ => { }, writer.Write, edge => log.Write(EdgeText.Of(edge)), _ => { }), log);
        log.Notice($"the agent of witness {Id} runs: {durable.Membership.Voters.Count} voters, term {durable.Term}", $"It listens at {settings.ApiListen}, keeps its state in \"{state.Path}\", and is reached at {address}.");
        _loop.Start();
        Task refreshing = RefreshAsync(state, directory, cancel);
        await Task.WhenAny(refreshing, _loop.Ended);
        if (_loop.Ended.IsCompleted && await _loop.Ended is { } defect)
            throw new InvalidOperationException(defect.Message, defect);
        if (refreshing.IsCompleted)
            await refreshing;
    }

    /// <summary>Nobody waits for a witness: what it has promised is on its disk.</summary>
    public async Task StopAsync()
    {
        _loop?.Stop();
        if (_loop is { } loop)
            await Task.WhenAny(loop.Ended, Task.Delay(StopWithin));
    }

    private static string HomeOf(Settings settings) => settings.StateDirectory ?? StateDirectory.DefaultForWitness(settings.NodeId!.Value);

    private void Post(Func<TimeSpan, Input> input) => _loop?.Post(input);

    /// <summary>Any server of the cluster that answers: that of conninfo first.</summary>
    private IEnumerable<Conninfo> Servers(StateDirectory state)
    {
        yield return settings.Conninfo!;
        foreach (KnownNode known in state.Content.Nodes.Where(known => known.Id != Id))
        {
            if (Conninfo.TryParse(known.Conninfo, out Conninfo? conninfo, out _))
                yield return settings.Conninfo!["password"] is { } password ? conninfo.WithDefault("password", password) : conninfo;
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

        Say("the agent of this witness waits: no server of the cluster lets it read what it needs", $"{why.TrimEnd('.')}.", null);
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

                Say(
                    isRegistered ? "this witness waits for automatic failover to begin" : $"node {Id} is not registered as a witness, and no voter", null,
                    isRegistered ? "It begins when the agents of all registered nodes run." : "Register it with \"repmgr witness register\".");
            }

            await Task.Delay(Every, cancel);
        }
    }

    private async Task RefreshAsync(StateDirectory state, AgentDirectory directory, CancellationToken cancel)
    {
        Membership? known = null;
        TimeSpan next = TimeSpan.Zero;
        while (true)
        {
            Membership now = _loop!.State.Durable.Membership;
            if (BootClock.Now >= next || !now.Equals(known))
            {
                bool isRead = false;
                foreach (Conninfo server in Servers(state))
                    isRead = isRead || await directory.RefreshAsync(server, cancel);
                known = isRead ? now : null;
                next = BootClock.Now + RefreshEvery;
            }

            await Task.Delay(Every, cancel);
        }
    }

    private AgentReport Report() =>
        (_loop is { } loop ? AgentReport.Of(loop.State, BootClock.Now) : new AgentReport { Node = Id, Role = "Starting" }) with
        {
            Name = Name,
            Version = ProductVersion.Text,
            Pid = Environment.ProcessId,
        };

    private AgentHealth Health()
    {
        AgentState? state = _loop?.State;
        return new AgentHealth(
            Id.Value, Name, IsRunning: true, IsPrimary: false, IsStandby: false, IsStreaming: false, null, state?.Durable.Term.Number ?? 0,
            state?.Leader is { } leader && leader.Term == state.Durable.Term ? leader.Node.Value : null, "witness", null, state?.Durable.Membership.Voters.Count ?? 0);
    }

    /// <summary>Says a thing once, until something else is to be said.</summary>
    private void Say(string message, string? detail, string? hint)
    {
        if (_said == message)
            return;
        _said = message;
        log.Warning(message, detail, hint);
    }
}

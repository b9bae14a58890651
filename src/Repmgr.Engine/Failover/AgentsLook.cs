using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Hosts;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Failover;

/// <summary>
/// Asks the agents, on behalf of a command. Where they are, and the secret, it reads from the local server; when that is down, from the state directory of the
/// local agent, which keeps both for that hour.
/// </summary>
public sealed class AgentsLook : IDisposable
{
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ConnectWithin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PassesWithin = TimeSpan.FromSeconds(10), BeforeAgain = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan ReachWithin = TimeSpan.FromSeconds(6), ReachOfAllWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan CheckpointWithin = TimeSpan.FromMinutes(5);

    private readonly (KnownNode Node, AgentEndpoint? Agent)[] _nodes;
    private readonly AgentClient _client;
    private readonly PostgresConnector _connector;

    internal AgentsLook(byte[] secret, NodeId self, IReadOnlyList<KnownNode> nodes, PostgresConnector connector, AgentCertificates? certificates)
    {
        _connector = connector;
        _nodes = [.. nodes.OrderBy(node => node.Id).Select(node => (node, node.Address.Length > 0 ? new AgentEndpoint(node.Address) : null))];
        // A sender that is no voter, in a life of its own.
        ulong boot = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        _client = new AgentClient(new MessageSeal(secret), new VoterId(self, 0), boot, ConnectWithin, certificates);
    }

    /// <summary>Finds out where the agents are.</summary>
    /// <returns>Null with the reason when it is not known.</returns>
    public static async Task<(AgentsLook? Look, Problem? Problem)> BeginAsync(Settings settings, PostgresConnector connector, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(settings);
        NodeId self = settings.NodeId ?? new NodeId(0);
        var certificates = AgentCertificates.Of(settings, null);
        if (certificates?.Problem is { } unusable)
            return (null, unusable);
        string unread = "conninfo is not set";
        if (settings.Conninfo is { } conninfo)
        {
            switch (await AgentTables.ReadAsync(connector, conninfo, cancel))
            {
                case Answer<AgentTables>.Got { Value: var tables }:
                    return (new AgentsLook(tables.Secret, self, [.. tables.Nodes.Select(record => new KnownNode(
                        record.Id, record.Name, record.Conninfo, tables.Agents.TryGetValue(record.Id, out (VoterId, string Address) agent) ? agent.Address : ""))], connector, certificates), null);
                case Answer<AgentTables>.Failed failed:
                    unread = failed.Reason.TrimEnd('.');
                    break;
            }
        }

        string? directory = await StateOfAsync(settings, cancel);
        if (directory is not null && StateDirectory.Contacts(directory) is var (secret, nodes))
            return (new AgentsLook(secret, self, nodes, connector, certificates), null);
        return (null, new Problem(
            "it is not known where the agents are",
            $"The local server cannot be asked: {unread}. {(directory is null ? "Where its agent keeps its state is not clear" : $"And the agent has left nothing in \"{directory}\" that this user may read")}.",
            "Run the command on a node whose server runs, as the user that repmgrd runs as."));
    }

    /// <summary>Asks all of them, side by side.</summary>
    public async Task<AgentsView> LookAsync(CancellationToken cancel) =>
        new(await Task.WhenAll(_nodes.Select(node => LookAtAsync(node.Node, node.Agent, cancel))));

    /// <summary>Whose servers answer from here, be it to refuse: their hosts are up.</summary>
    public async Task<IReadOnlyList<NodeId>> AnsweringAsync(CancellationToken cancel)
    {
        bool[] answers = await Task.WhenAll(_nodes.Select(node => AnswersAsync(node.Node, cancel)));
        return [.. _nodes.Zip(answers).Where(pair => pair.Second).Select(pair => pair.First.Node.Id)];
    }

    /// <summary>Has a server write a checkpoint. Why not; null: it has.</summary>
    public async Task<string?> CheckpointAsync(NodeId node, CancellationToken cancel)
    {
        if (!Conninfo.TryParse(_nodes.FirstOrDefault(known => known.Node.Id == node).Node?.Conninfo ?? "", out Conninfo? conninfo, out _))
            return "It is not known how its server is reached.";
        ConnectResult connected = await _connector.OpenAsync(conninfo, AnswerWithin, cancel);
        if (connected is not ConnectResult.Opened opened)
            return connected.Failure;
        await using PostgresSession session = opened.Session;
        return await session.ExecuteAsync("CHECKPOINT", CheckpointWithin, cancel) is Answer<int>.Failed failed ? failed.Reason : null;
    }

    /// <summary>Puts a request to the agent of a node.</summary>
    /// <returns>Why it is not done, in a sentence; null: it is done, or has begun.</returns>
    public async Task<string?> AskAsync(NodeId node, Request request, CancellationToken cancel)
    {
        if (_nodes.FirstOrDefault(known => known.Node.Id == node).Agent is not { } agent)
            return $"It is not known where the agent of node {node} is.";
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(WireRequest.Of(request), AgentJson.Default.WireRequest);
        long began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            AgentReply reply = await _client.AskAsync(agent, HttpMethod.Post, AgentApi.RequestsPath, body, AnswerWithin + ConnectWithin, cancel);
            Reply? answer = reply.Status == HttpStatusCode.OK ? JsonSerializer.Deserialize(reply.Body, AgentJson.Default.Reply) : null;
            if (answer is { IsPassing: true } && TimeProvider.System.GetElapsedTime(began) < PassesWithin)
            {
                await Task.Delay(BeforeAgain, cancel);
                continue;
            }

            return reply.Status switch
            {
                HttpStatusCode.OK => answer?.Refusal,
                null or HttpStatusCode.Unauthorized => $"The agent of node {node} cannot be asked: {reply.Failure}.",
                _ => $"The agent of node {node} answers: {Encoding.UTF8.GetString(reply.Body).Trim()}.",
            };
        }
    }

    /// <summary>Whom a node can connect to, as its agent finds at this moment; or why it does not say, as a clause.</summary>
    public async Task<(ReachRow? Row, string? Failure)> ReachAsync(NodeId node, CancellationToken cancel) =>
        await AskReachAsync(node, AgentApi.ReachPath, AgentJson.Default.ReachRow, ReachWithin, cancel);

    /// <summary>What an agent hears from all that it reaches; or why it does not say, as a clause.</summary>
    public async Task<(IReadOnlyList<ReachRow> Rows, string? Failure)> ReachOfAllAsync(NodeId node, CancellationToken cancel)
    {
        (ReachRow[]? rows, string? failure) = await AskReachAsync(node, AgentApi.AllReachPath, AgentJson.Default.ReachRowArray, ReachOfAllWithin, cancel);
        return (rows ?? [], failure);
    }

    public void Dispose() => _client.Dispose();

    private async Task<(T? Answer, string? Failure)> AskReachAsync<T>(NodeId node, string path, JsonTypeInfo<T> type, TimeSpan within, CancellationToken cancel) where T : class
    {
        if (_nodes.FirstOrDefault(known => known.Node.Id == node).Agent is not { } agent)
            return (null, "no agent of it has ever run");
        AgentReply reply = await _client.AskAsync(agent, HttpMethod.Get, path, [], within, cancel);
        try
        {
            return reply.Status switch
            {
                HttpStatusCode.OK when JsonSerializer.Deserialize(reply.Body, type) is { } answer => (answer, null),
                HttpStatusCode.NotFound => (null, "its version does not know the question"),
                _ => (null, reply.Failure ?? $"it answers with status {(int?)reply.Status}"),
            };
        }
        catch (JsonException)
        {
            return (null, "its answer is not one that this version knows");
        }
    }

    private async Task<bool> AnswersAsync(KnownNode node, CancellationToken cancel)
    {
        if (!Conninfo.TryParse(node.Conninfo, out Conninfo? conninfo, out _))
            return false;
        switch (await _connector.OpenAsync(conninfo, AnswerWithin, cancel))
        {
            case ConnectResult.Opened opened:
                await opened.Session.DisposeAsync();
                return true;
            case ConnectResult.Rejected { SqlState: not null }:
                return true;
            default:
                return false;
        }
    }

    private async Task<AgentAnswer> LookAtAsync(KnownNode node, AgentEndpoint? agent, CancellationToken cancel)
    {
        if (agent is null)
            return new AgentAnswer(node.Id, node.Name, null, "no agent of it has ever run");
        AgentReply reply = await _client.AskAsync(agent, HttpMethod.Get, AgentApi.ReportPath, [], AnswerWithin, cancel);
        try
        {
            return reply.Status == HttpStatusCode.OK && JsonSerializer.Deserialize(reply.Body, AgentJson.Default.AgentReport) is { } report
                ? new AgentAnswer(node.Id, node.Name, report, null)
                : new AgentAnswer(node.Id, node.Name, null, reply.Failure ?? $"it answers with status {(int?)reply.Status}");
        }
        catch (JsonException)
        {
            return new AgentAnswer(node.Id, node.Name, null, "its answer is not one that this version knows");
        }
    }

    private static async Task<string?> StateOfAsync(Settings settings, CancellationToken cancel)
    {
        if (settings.StateDirectory is { } configured)
            return configured;
        return await LocalHost.DataDirectoryAsync(settings, null, cancel) is Detected<string>.Found data ? StateDirectory.DefaultFor(data.Value) : null;
    }
}

using System.Net;
using System.Text.Json;
using System.Threading.Channels;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Engine.Logging;

namespace Repmgr.Engine.Failover;

/// <summary>Speaks to the agents of the other nodes. Nothing waits for it: what does not get through is said anew by the machine.</summary>
internal sealed class Peers : IDisposable
{
    private const int AtOnce = 4;
    private const int Waiting = 16;

    private readonly NodeId _self;
    private readonly TimeSpan _within;
    private readonly Action<Envelope> _answered;
    private readonly ILog _log;
    private readonly AgentClient _client;
    private readonly CancellationTokenSource _end = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<NodeId, Peer> _peers = [];

    /// <param name="within">How long a message may take: one that is older than a lease is worth nothing.</param>
    /// <param name="answered">Hears what came back at once.</param>
    /// <param name="certificates">For TLS; null: without.</param>
    public Peers(MessageSeal seal, VoterId self, ulong boot, TimeSpan within, Action<Envelope> answered, AgentCertificates? certificates, ILog log)
    {
        _self = self.Node;
        _within = within;
        _answered = answered;
        _log = log;
        _client = new AgentClient(seal, self, boot, within, certificates);
    }

    /// <summary>With those that the state directory knows.</summary>
    public static Peers Of(StateDirectory state, MessageSeal seal, ulong boot, TimeSpan within, LoopLink loop, AgentCertificates? certificates, ILog log)
    {
        var peers = new Peers(
            seal, state.Content.Voter, boot, within, envelope => loop.Post(at => new Input.Received(at, envelope)), certificates, log);
        foreach (KnownNode known in state.Content.Nodes.Where(known => known.Id != state.Content.Voter.Node))
            peers.Know(known.Id, known.Address);
        return peers;
    }

    /// <summary>Where the agent of a node listens: <c>host:port</c>.</summary>
    public void Know(NodeId node, string address)
    {
        lock (_lock)
        {
            if (_peers.TryGetValue(node, out Peer? known))
            {
                known.Endpoint.Address = address;
                return;
            }

            var peer = new Peer(node, address);
            _peers[node] = peer;
            for (int worker = 0; worker < AtOnce; worker++)
                _ = Task.Run(() => CarryAsync(peer, _end.Token));
        }
    }

    /// <summary>Puts it on its way and returns. Of messages that wait the oldest gives way.</summary>
    public void Send(Envelope envelope)
    {
        lock (_lock)
        {
            if (_peers.TryGetValue(envelope.To, out Peer? peer))
                peer.Queue.Writer.TryWrite(envelope);
        }
    }

    /// <summary>Asks for something; null: it was not to be had within the time.</summary>
    public async Task<byte[]?> GetAsync(NodeId node, string path, TimeSpan within, CancellationToken cancel)
    {
        Peer? peer;
        lock (_lock)
            _peers.TryGetValue(node, out peer);
        return peer is not null && await _client.AskAsync(peer.Endpoint, HttpMethod.Get, path, [], within, cancel) is { Status: HttpStatusCode.OK, Body: { } body } ? body : null;
    }

    public async Task<AgentGreeting?> GreetAsync(NodeId node, TimeSpan within, CancellationToken cancel) =>
        await GetAsync(node, AgentApi.GreetingPath, within, cancel) is { } body ? JsonSerializer.Deserialize(body, AgentJson.Default.AgentGreeting) : null;

    public void Dispose()
    {
        _end.Cancel();
        _client.Dispose();
    }

    private async Task CarryAsync(Peer peer, CancellationToken cancel)
    {
        try
        {
            await foreach (Envelope envelope in peer.Queue.Reader.ReadAllAsync(cancel))
            {
                byte[] body = JsonSerializer.SerializeToUtf8Bytes(WireMessage.Of(envelope), AgentJson.Default.WireMessage);
                AgentReply reply = await _client.AskAsync(peer.Endpoint, HttpMethod.Post, AgentApi.MessagesPath, body, _within, cancel);
                if (reply.Status == HttpStatusCode.OK && WireMessage.Read(reply.Body) is { } answer && answer.From.Node == peer.Node && answer.To == _self)
                    _answered(answer);
                Note(peer, reply);
            }
        }
        catch (OperationCanceledException)
        {
            // The agent ends.
        }
    }

    /// <summary>Says a change, not every message that gets lost.</summary>
    private void Note(Peer peer, AgentReply reply)
    {
        string state = reply.Status switch
        {
            HttpStatusCode.NoContent or HttpStatusCode.OK => "",
            HttpStatusCode.Unauthorized => "it does not have this cluster's secret",
            null => reply.IsUntrusted ? reply.Failure! : "it does not answer",
            { } other => $"it answers with status {(int)other}",
        };
        if (Interlocked.Exchange(ref peer.Trouble, state) is var before && before == state)
            return;
        if (state.Length == 0)
            _log.Notice($"the agent of node {peer.Node} takes messages");
        else
            _log.Warning($"the agent of node {peer.Node} at {peer.Endpoint.Address} takes no messages: {state}");
    }

    private sealed class Peer(NodeId node, string address)
    {
        public string? Trouble = "";

        public NodeId Node => node;

        public AgentEndpoint Endpoint { get; } = new(address);

        public Channel<Envelope> Queue { get; } = Channel.CreateBounded<Envelope>(new BoundedChannelOptions(Waiting) { FullMode = BoundedChannelFullMode.DropOldest });
    }
}

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

    private readonly MessageSeal _seal;
    private readonly VoterId _self;
    private readonly ulong _boot;
    private readonly TimeSpan _within;
    private readonly ILog _log;
    private readonly HttpClient _client;
    private readonly CancellationTokenSource _end = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<NodeId, Peer> _peers = [];
    private long _number;

    /// <param name="within">How long a message may take: one that is older than a lease is worth nothing.</param>
    public Peers(MessageSeal seal, VoterId self, ulong boot, TimeSpan within, ILog log)
    {
        _seal = seal;
        _self = self;
        _boot = boot;
        _within = within;
        _log = log;
        _client = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            MaxConnectionsPerServer = AtOnce * 2,
            ConnectTimeout = within,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        })
        { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Where the agent of a node listens: <c>host:port</c>.</summary>
    public void Know(NodeId node, string address)
    {
        lock (_lock)
        {
            if (_peers.TryGetValue(node, out Peer? known))
            {
                known.Address = address;
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
        return peer is not null && await TryAsync(peer, HttpMethod.Get, path, [], within, cancel) is (HttpStatusCode.OK, { } body) ? body : null;
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
                (HttpStatusCode Status, byte[] Body)? reply = await TryAsync(peer, HttpMethod.Post, AgentApi.MessagesPath, body, _within, cancel);
                Note(peer, reply?.Status);
            }
        }
        catch (OperationCanceledException)
        {
            // The agent ends.
        }
    }

    private async Task<(HttpStatusCode Status, byte[] Body)?> TryAsync(Peer peer, HttpMethod method, string path, byte[] body, TimeSpan within, CancellationToken cancel)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(within);
        try
        {
            (HttpStatusCode Status, byte[] Body)? reply = await ExchangeAsync(peer, method, path, body, deadline.Token);
            if (reply is not (HttpStatusCode.Conflict, { } boot)
                || !ulong.TryParse(boot, System.Globalization.NumberStyles.AllowHexSpecifier, System.Globalization.CultureInfo.InvariantCulture, out ulong audience))
                return reply;
            // It was started since, and says its new boot, sealed.
            peer.Boot = audience;
            return await ExchangeAsync(peer, method, path, body, deadline.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException or UriFormatException)
        {
            return null;
        }
    }

    private async Task<(HttpStatusCode Status, byte[] Body)?> ExchangeAsync(Peer peer, HttpMethod method, string path, byte[] body, CancellationToken cancel)
    {
        var by = new SealedBy(_self, _boot, (ulong)Interlocked.Increment(ref _number), peer.Boot);
        using var request = new HttpRequestMessage(method, $"http://{peer.Address}{path}");
        if (method == HttpMethod.Post)
            request.Content = new ByteArrayContent(body);
        request.Headers.Add(AgentApi.SenderHeader, by.Sender.ToString());
        request.Headers.Add(AgentApi.NonceHeader, by.Nonce);
        request.Headers.Add(AgentApi.AudienceHeader, by.Audience.ToString("x", System.Globalization.CultureInfo.InvariantCulture));
        request.Headers.Add(AgentApi.SealHeader, _seal.Of(method.Method, path, by, body));
        using HttpResponseMessage response = await _client.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancel);
        byte[] answer = await response.Content.ReadAsByteArrayAsync(cancel);
        string? sealedWith = response.Headers.TryGetValues(AgentApi.SealHeader, out IEnumerable<string>? values) ? values.FirstOrDefault() : null;
        if (response.StatusCode == HttpStatusCode.Unauthorized)
            return (HttpStatusCode.Unauthorized, []);
        return MessageSeal.AreEqual(sealedWith, _seal.OfReply(by.Nonce, (int)response.StatusCode, answer)) ? (response.StatusCode, answer) : null;
    }

    /// <summary>Says a change, not every message that gets lost.</summary>
    private void Note(Peer peer, HttpStatusCode? status)
    {
        string state = status switch
        {
            HttpStatusCode.NoContent => "",
            HttpStatusCode.Unauthorized => "it does not have this cluster's secret",
            null => "it does not answer",
            { } other => $"it answers with status {(int)other}",
        };
        if (Interlocked.Exchange(ref peer.Trouble, state) is var before && before == state)
            return;
        if (state.Length == 0)
            _log.Notice($"the agent of node {peer.Node} takes messages");
        else
            _log.Warning($"the agent of node {peer.Node} at {peer.Address} takes no messages: {state}");
    }

    private sealed class Peer(NodeId node, string address)
    {
        public string? Trouble = "";

        public NodeId Node => node;

        public string Address { get; set; } = address;

        public ulong Boot { get; set; }

        public Channel<Envelope> Queue { get; } = Channel.CreateBounded<Envelope>(new BoundedChannelOptions(Waiting) { FullMode = BoundedChannelFullMode.DropOldest });
    }
}

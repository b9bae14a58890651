using System.Text;
using System.Text.Json;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Reports;

namespace Repmgr.Engine.Failover;

/// <summary>A request as it came in, whatever carried it.</summary>
/// <param name="Method">In capitals.</param>
/// <param name="Path">With the query.</param>
/// <param name="Header">Reads a header; null: it is not there.</param>
/// <param name="Body">Bounded by <see cref="AgentApi.LargestBody"/> before it gets here.</param>
public sealed record ApiRequest(string Method, string Path, Func<string, string?> Header, ReadOnlyMemory<byte> Body)
{
    /// <summary>With TLS: who asks showed a certificate that is believed. Without, there is none to be shown.</summary>
    public bool IsTrusted { get; init; } = true;
}

/// <param name="Seal">Null: the reply is for anybody.</param>
public sealed record ApiReply(int Status, string ContentType, ReadOnlyMemory<byte> Body, string? Seal);

/// <summary>What an agent answers. Whatever comes in, it ends with a reply.</summary>
public sealed class AgentApi
{
    public const string SenderHeader = "Repmgr-Agent", NonceHeader = "Repmgr-Nonce", AudienceHeader = "Repmgr-Audience", SealHeader = "Repmgr-Seal";

    internal const string MessagesPath = "/v1/messages", GreetingPath = "/v1/agent", WalPath = "/v1/wal/", TimelinePath = "/v1/timeline",
        ReportPath = "/v1/report", RequestsPath = "/v1/requests", ReachPath = "/v1/reach", AllReachPath = "/v1/reach/all";

    /// <summary>A message between agents has some hundred bytes, and some more for each failover in the history of the cluster.</summary>
    public const int LargestBody = 1024 * 1024;

    private const string Json = "application/json", Text = "text/plain; charset=utf-8", Octets = "application/octet-stream";

    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(2);

    private readonly MessageSeal _seal;
    private readonly NodeId _self;
    private readonly ulong _boot;
    private readonly Func<Envelope, Task<Envelope?>> _deliver;
    private readonly Func<AgentGreeting> _greet;
    private readonly Func<string, long, byte[]?> _wal;
    private readonly Func<int?> _timeline;
    private readonly Func<AgentHealth> _health;
    private readonly Func<AgentReport> _report;
    private readonly Func<Request, Task<Reply>> _ask;
    private readonly UsedNonces _used = new();

    internal AgentApi(
        MessageSeal seal, NodeId self, ulong boot, Func<Envelope, Task<Envelope?>> deliver, Func<AgentGreeting> greet, Func<string, long, byte[]?> wal, Func<int?> timeline,
        Func<AgentHealth> health, Func<AgentReport> report, Func<Request, Task<Reply>> ask)
    {
        _seal = seal;
        _self = self;
        _boot = boot;
        _deliver = deliver;
        _greet = greet;
        _wal = wal;
        _timeline = timeline;
        _health = health;
        _report = report;
        _ask = ask;
    }

    /// <summary>When terms began.</summary>
    internal Func<IReadOnlyList<TermBegan>> Began { get; init; } = () => [];

    /// <summary>What a node is called; null: it is not known.</summary>
    internal Func<NodeId, string?> NameOf { get; init; } = _ => null;

    /// <summary>Whom this node can connect to; no thread waits for such a look.</summary>
    internal AgentReach? Reach { get; init; }

    /// <summary>Answers: a message between agents with what the machine says to its sender at once, if it does.</summary>
    public async Task<ApiReply> AnswerAsync(ApiRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (!request.Path.StartsWith("/v1/", StringComparison.Ordinal))
            return HealthPaths.Answer(request.Method, request.Path, _health(), () => new EndedTimelines(_report().History, Began(), NameOf));

        if (!request.IsTrusted)
            return new ApiReply(403, Text, Encoding.UTF8.GetBytes("a certificate of this cluster is needed\n"), null);
        SealedBy? by = SealedBy.Read(request.Header(SenderHeader), request.Header(NonceHeader), request.Header(AudienceHeader));
        if (by is null || !MessageSeal.AreEqual(request.Header(SealHeader), _seal.Of(request.Method, request.Path, by, request.Body.Span)))
            return new ApiReply(401, Text, Encoding.UTF8.GetBytes("not sealed with the secret of this cluster\n"), null);
        if (by.Audience != _boot)
            return Sealed(by, 409, Text, Encoding.ASCII.GetBytes(_boot.ToString("x", System.Globalization.CultureInfo.InvariantCulture)));
        // A command that only looks has a life of its own each time: to remember them all, and for nothing that could be done twice, would fill the memory.
        bool isLook = request is { Method: "GET", Path: ReportPath or ReachPath or AllReachPath };
        if (!isLook && !_used.Use(by))
            return Sealed(by, 403, Text, Encoding.UTF8.GetBytes("this request was made before\n"));
        return (request.Method, request.Path) switch
        {
            ("POST", MessagesPath) => await DeliverAsync(request, by),
            ("GET", ReachPath) when Reach is { } reach => Sealed(by, 200, Json, JsonSerializer.SerializeToUtf8Bytes(await reach.RowAsync(), AgentJson.Default.ReachRow)),
            ("GET", AllReachPath) when Reach is { } reach => Sealed(by, 200, Json, JsonSerializer.SerializeToUtf8Bytes([.. await reach.RowsAsync()], AgentJson.Default.ReachRowArray)),
            _ => Authentic(request, by),
        };
    }

    private ApiReply Authentic(ApiRequest request, SealedBy by)
    {
        string path = request.Path.Split('?')[0];
        return (request.Method, path) switch
        {
            ("POST", RequestsPath) => Ask(request, by),
            ("GET", ReportPath) => Sealed(by, 200, Json, JsonSerializer.SerializeToUtf8Bytes(_report(), AgentJson.Default.AgentReport)),
            ("GET", GreetingPath) => Sealed(by, 200, Json, JsonSerializer.SerializeToUtf8Bytes(_greet(), AgentJson.Default.AgentGreeting)),
            ("GET", TimelinePath) when _timeline() is { } timeline => Sealed(by, 200, Text, Encoding.ASCII.GetBytes(timeline.ToString(System.Globalization.CultureInfo.InvariantCulture))),
            ("GET", _) when path.StartsWith(WalPath, StringComparison.Ordinal) => Wal(request.Path, path[WalPath.Length..], by),
            _ => Sealed(by, 404, Text, Encoding.UTF8.GetBytes("there is nothing of that name\n")),
        };
    }

    private async Task<ApiReply> DeliverAsync(ApiRequest request, SealedBy by)
    {
        if (WireMessage.Read(request.Body.Span) is not { } envelope || envelope.From != by.Sender || envelope.To != _self)
            return Sealed(by, 400, Text, Encoding.UTF8.GetBytes("not a message from this sender to this node\n"));
        return await _deliver(envelope) is { } answer
            ? Sealed(by, 200, Json, JsonSerializer.SerializeToUtf8Bytes(WireMessage.Of(answer), AgentJson.Default.WireMessage))
            : Sealed(by, 204, Text, default);
    }

    // Rare, and answered in the agent's next turn: a thread may wait for it.
    private ApiReply Ask(ApiRequest request, SealedBy by)
    {
        try
        {
            if (JsonSerializer.Deserialize(request.Body.Span, AgentJson.Default.WireRequest)?.Asked() is not { } asked)
                return Sealed(by, 400, Text, Encoding.UTF8.GetBytes("not a request that this version knows\n"));
            Task<Reply> answer = _ask(asked);
            return answer.Wait(AnswerWithin)
                ? Sealed(by, 200, Json, JsonSerializer.SerializeToUtf8Bytes(answer.Result, AgentJson.Default.Reply))
                : Sealed(by, 503, Text, Encoding.UTF8.GetBytes("the agent does not decide at the moment\n"));
        }
        catch (JsonException malformed)
        {
            return Sealed(by, 400, Text, Encoding.UTF8.GetBytes(malformed.Message + "\n"));
        }
    }

    private ApiReply Wal(string withQuery, string file, SealedBy by)
    {
        const string Offset = "?offset=";
        int query = withQuery.IndexOf(Offset, StringComparison.Ordinal);
        bool isGood = query > 0 && long.TryParse(withQuery.AsSpan(query + Offset.Length), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out _);
        long offset = isGood ? long.Parse(withQuery.AsSpan(query + Offset.Length), System.Globalization.CultureInfo.InvariantCulture) : -1;
        return isGood && _wal(file, offset) is { } bytes
            ? Sealed(by, 200, Octets, bytes)
            : Sealed(by, 404, Text, Encoding.UTF8.GetBytes("there is no such file\n"));
    }

    private ApiReply Sealed(SealedBy by, int status, string type, ReadOnlyMemory<byte> body) =>
        new(status, type, body, _seal.OfReply(by.Nonce, status, body.Span));
}

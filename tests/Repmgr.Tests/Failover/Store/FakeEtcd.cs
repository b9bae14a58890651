using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Repmgr.Tests.Failover.Store;

/// <summary>As much of etcd's JSON gateway as is spoken to: transactions over keys with revisions, and users.</summary>
internal sealed class FakeEtcd : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly SortedDictionary<string, (string Value, long Revision)> _keys = [];
    private readonly List<JsonNode> _transactions = [];
    private long _revision = 10;

    public FakeEtcd()
    {
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        Url = new Uri($"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}");
        free.Stop();
        _listener.Prefixes.Add(Url.ToString());
        _listener.Start();
        _ = Task.Run(ServeAsync);
    }

    public Uri Url { get; }

    /// <summary>The transactions that were asked for.</summary>
    public IReadOnlyList<JsonNode> Transactions
    {
        get
        {
            lock (_keys)
                return [.. _transactions];
        }
    }

    public List<string> Logins { get; } = [];

    /// <summary>Null: anybody may.</summary>
    public string? Password { get; set; }

    /// <summary>The one that is good at present.</summary>
    public string Token { get; set; } = "token.1";

    /// <summary>The next transaction that compares something is done, and its answer is lost.</summary>
    public bool LosesAnswer { get; set; }

    /// <summary>What was before this revision is gone.</summary>
    public long CompactedBefore { get; set; }

    /// <summary>The keys that are there, without their values.</summary>
    public IReadOnlyList<string> Keys
    {
        get
        {
            lock (_keys)
                return [.. _keys.Keys];
        }
    }

    public void Dispose() => _listener.Close();

    private async Task ServeAsync()
    {
        try
        {
            while (true)
                await AnswerAsync(await _listener.GetContextAsync());
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        JsonNode asked = (await JsonNode.ParseAsync(context.Request.InputStream))!;
        JsonNode reply = context.Request.Url!.AbsolutePath switch
        {
            "/v3/auth/authenticate" when context.Request.Headers["Authorization"] is { } shown && shown != Token => Error(16, "etcdserver: invalid auth token"),
            "/v3/auth/authenticate" => Login(asked),
            "/v3/kv/txn" when Password is not null && context.Request.Headers["Authorization"] != Token => Error(16, "etcdserver: invalid auth token"),
            "/v3/kv/txn" when OldestAsked(asked) < CompactedBefore => Error(11, "etcdserver: mvcc: required revision has been compacted"),
            "/v3/kv/txn" => Transact(asked),
            _ => Error(5, "not found"),
        };
        if (LosesAnswer && asked["compare"] is JsonArray { Count: > 0 })
        {
            LosesAnswer = false;
            context.Response.Abort();
            return;
        }

        context.Response.StatusCode = reply["code"] is null ? 200 : 400;
        context.Response.ContentType = "application/json";
        await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(reply.ToJsonString()));
        context.Response.Close();
    }

    private JsonObject Login(JsonNode asked)
    {
        Logins.Add((string)asked["name"]!);
        return (string)asked["password"]! == Password
            ? new JsonObject { ["header"] = new JsonObject(), ["token"] = Token }
            : Error(3, "etcdserver: authentication failed, invalid user ID or password");
    }

    private static JsonObject Error(int code, string text) => new() { ["error"] = text, ["message"] = text, ["code"] = code };

    private static long OldestAsked(JsonNode asked) =>
        asked["success"]!.AsArray().Select(operation => (long?)operation!["request_range"]?["revision"] ?? long.MaxValue).DefaultIfEmpty(long.MaxValue).Min();

    private JsonObject Transact(JsonNode asked)
    {
        lock (_keys)
        {
            _transactions.Add(asked);
            bool isSo = asked["compare"]!.AsArray().All(item => Revision(item!) == long.Parse(item!["mod_revision"]!.ToString(), null));
            var responses = new JsonArray();
            JsonArray operations = asked[isSo ? "success" : "failure"]!.AsArray();
            if (operations.Any(operation => operation!["request_put"] is not null))
                _revision++;
            foreach (JsonNode? operation in operations)
                responses.Add(Do(operation!));
            var reply = new JsonObject { ["header"] = new JsonObject { ["revision"] = $"{_revision}", ["raft_term"] = "2" }, ["responses"] = responses };
            // As the gateway does, which leaves out what is false.
            if (isSo)
                reply["succeeded"] = true;
            return reply;
        }
    }

    private long Revision(JsonNode compare)
    {
        if ((string)compare["target"]! != "MOD" || (string)compare["result"]! != "EQUAL")
            throw new JsonException("this is not compared");
        return _keys.TryGetValue((string)compare["key"]!, out (string Value, long Revision) found) ? found.Revision : 0;
    }

    private JsonObject Do(JsonNode operation)
    {
        if (operation["request_put"] is { } put)
        {
            _keys[(string)put["key"]!] = ((string)put["value"]!, _revision);
            return new JsonObject { ["response_put"] = new JsonObject() };
        }

        string key = (string)operation["request_range"]!["key"]!;
        var range = new JsonObject();
        if (_keys.TryGetValue(key, out (string Value, long Revision) found))
            range["kvs"] = new JsonArray(new JsonObject { ["key"] = key, ["mod_revision"] = $"{found.Revision}", ["value"] = found.Value });
        return new JsonObject { ["response_range"] = range };
    }
}

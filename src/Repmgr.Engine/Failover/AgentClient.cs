using System.Globalization;
using System.Net;
using System.Security.Authentication;
using Repmgr.Core.Failover;

namespace Repmgr.Engine.Failover;

/// <summary>An agent as it is spoken to.</summary>
internal sealed class AgentEndpoint(string address)
{
    /// <summary><c>host:port</c></summary>
    public string Address { get; set; } = address;

    /// <summary>The random number of its present life, once it has said so (docs/adr/0093).</summary>
    public ulong Boot { get; set; }
}

/// <summary>What came of a request.</summary>
/// <param name="Status">Null: there was no reply that counts.</param>
/// <param name="Body">Empty without one.</param>
/// <param name="Failure">Why not, as a clause.</param>
internal sealed record AgentReply(HttpStatusCode? Status, byte[] Body, string? Failure)
{
    /// <summary>Who answered is not believed, or does not believe.</summary>
    public bool IsUntrusted { get; init; }
}

/// <summary>Makes sealed requests, and takes nothing that is not sealed in return.</summary>
/// <param name="seal">With the cluster's secret.</param>
/// <param name="self">Who asks.</param>
/// <param name="boot">Random, drawn at the start of who asks.</param>
/// <param name="connectWithin">How long a connection may take to be made.</param>
/// <param name="certificates">For TLS; null: without.</param>
internal sealed class AgentClient(MessageSeal seal, VoterId self, ulong boot, TimeSpan connectWithin, AgentCertificates? certificates) : IDisposable
{
    // Not an HttpClient, whose own deadline and cancellation for each request are not used here.
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        UseCookies = false,
        MaxConnectionsPerServer = 8,
        ConnectTimeout = connectWithin,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        PooledConnectionLifetime = certificates is null ? Timeout.InfiniteTimeSpan : AgentCertificates.KeptFor,
        ConnectCallback = certificates is null ? null : certificates.ConnectAsync,
    });

    private long _number;

    public async Task<AgentReply> AskAsync(AgentEndpoint agent, HttpMethod method, string path, byte[] body, TimeSpan within, CancellationToken cancel)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(within);
        try
        {
            AgentReply reply = await ExchangeAsync(agent, method, path, body, deadline.Token);
            if (reply is not { Status: HttpStatusCode.Conflict } || !ulong.TryParse(reply.Body, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong audience))
                return reply;
            // It was started since, and says its new boot, sealed.
            agent.Boot = audience;
            return await ExchangeAsync(agent, method, path, body, deadline.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new AgentReply(null, [], string.Create(CultureInfo.InvariantCulture, $"it did not answer within {within.TotalSeconds:0.#} s"));
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException or UriFormatException)
        {
            return new AgentReply(null, [], (failed.InnerException ?? failed).Message.TrimEnd('.')) { IsUntrusted = failed.InnerException is AuthenticationException };
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task<AgentReply> ExchangeAsync(AgentEndpoint agent, HttpMethod method, string path, byte[] body, CancellationToken cancel)
    {
        var by = new SealedBy(self, boot, (ulong)Interlocked.Increment(ref _number), agent.Boot);
        // With TLS too: it is made below HTTP, with the certificates of this moment.
        using var request = new HttpRequestMessage(method, $"http://{agent.Address}{path}");
        if (method == HttpMethod.Post)
            request.Content = new ByteArrayContent(body);
        request.Headers.Add(AgentApi.SenderHeader, by.Sender.ToString());
        request.Headers.Add(AgentApi.NonceHeader, by.Nonce);
        request.Headers.Add(AgentApi.AudienceHeader, by.Audience.ToString("x", CultureInfo.InvariantCulture));
        request.Headers.Add(AgentApi.SealHeader, seal.Of(method.Method, path, by, body));
        using HttpResponseMessage response = await _client.SendAsync(request, cancel);
        byte[] answer = await response.Content.ReadAsByteArrayAsync(cancel);
        string? sealedWith = response.Headers.TryGetValues(AgentApi.SealHeader, out IEnumerable<string>? values) ? values.FirstOrDefault() : null;
        if (response.StatusCode == HttpStatusCode.Unauthorized)
            return new AgentReply(HttpStatusCode.Unauthorized, [], "it does not have this cluster's secret");
        return MessageSeal.AreEqual(sealedWith, seal.OfReply(by.Nonce, (int)response.StatusCode, answer))
            ? new AgentReply(response.StatusCode, answer, null)
            : new AgentReply(null, [], "its answer is not sealed with this cluster's secret");
    }
}

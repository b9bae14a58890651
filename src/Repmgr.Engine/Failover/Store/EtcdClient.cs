using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Failover.Store;

/// <summary>
/// Speaks to etcd by its JSON gateway (docs/adr/0117). The endpoints are tried in turn, the one that answered last first, each with a deadline of its own; whether a
/// transaction was done that nobody answered for is not known.
/// </summary>
/// <param name="options">Where it is, and as whom.</param>
/// <param name="within">How long one endpoint may take.</param>
internal sealed class EtcdClient(EtcdOptions options, TimeSpan within) : IDisposable
{
    private const int LongestReason = 200;

    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectTimeout = within,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        SslOptions = Tls(options),
    })
    { Timeout = Timeout.InfiniteTimeSpan };

    private int _current;
    private string? _token;

    public async Task<Answer<EtcdTxnReply>> TransactAsync(EtcdTxn transaction, CancellationToken cancel)
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(transaction, EtcdJson.Default.EtcdTxn);
        string why = "";
        for (int attempt = 0; attempt < options.Endpoints.Count; attempt++)
        {
            Uri endpoint = options.Endpoints[_current];
            Answer<EtcdTxnReply> answer = await TransactAsync(endpoint, body, cancel);
            if (answer is not Answer<EtcdTxnReply>.Failed failed)
                return answer;
            why += $"{(why.Length > 0 ? "; " : "")}{endpoint.Authority}: {failed.Reason}";
            _current = (_current + 1) % options.Endpoints.Count;
        }

        return new Answer<EtcdTxnReply>.Failed(null, why);
    }

    public void Dispose() => _client.Dispose();

    private async Task<Answer<EtcdTxnReply>> TransactAsync(Uri endpoint, byte[] body, CancellationToken cancel)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(within);
        try
        {
            bool isFresh = _token is null;
            if (options.User is not null)
                _token ??= await LoginAsync(endpoint, deadline.Token);
            (EtcdTxnReply? reply, EtcdError? error) = await PostAsync(endpoint, "/v3/kv/txn", body, EtcdJson.Default.EtcdTxnReply, deadline.Token);
            // A token is forgotten by an etcd that was started again, after a while, and when its users change; each has an error of its own.
            if (error is not null && options.User is not null && !isFresh)
            {
                _token = await LoginAsync(endpoint, deadline.Token);
                (reply, error) = await PostAsync(endpoint, "/v3/kv/txn", body, EtcdJson.Default.EtcdTxnReply, deadline.Token);
            }

            return reply is not null ? new Answer<EtcdTxnReply>.Got(reply) : new Answer<EtcdTxnReply>.Failed(null, Reason(error));
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new Answer<EtcdTxnReply>.Failed(null, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"no answer within {within.TotalSeconds:0.##} s"));
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException or JsonException or FormatException)
        {
            return new Answer<EtcdTxnReply>.Failed(null, (failed.InnerException ?? failed).Message.TrimEnd('.'));
        }
    }

    private async Task<string?> LoginAsync(Uri endpoint, CancellationToken cancel)
    {
        // Whoever shows a token that is none any more is not let in, whatever the password.
        _token = null;
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(new EtcdLogin(options.User!, options.Password() ?? ""), EtcdJson.Default.EtcdLogin);
        (EtcdToken? reply, EtcdError? error) = await PostAsync(endpoint, "/v3/auth/authenticate", body, EtcdJson.Default.EtcdToken, cancel);
        return reply?.Token ?? throw new HttpRequestException($"user \"{options.User}\" is not let in: {Reason(error)}");
    }

    private async Task<(T? Reply, EtcdError? Error)> PostAsync<T>(Uri endpoint, string path, byte[] body, JsonTypeInfo<T> type, CancellationToken cancel)
        where T : class
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(endpoint, path)) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (_token is { } token)
            request.Headers.TryAddWithoutValidation("Authorization", token);
        using HttpResponseMessage response = await _client.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancel);
        byte[] answer = await response.Content.ReadAsByteArrayAsync(cancel);
        if (response.IsSuccessStatusCode)
            return (JsonSerializer.Deserialize(answer, type), null);
        if (response.Content.Headers.ContentType?.MediaType == "application/json" && JsonSerializer.Deserialize(answer, EtcdJson.Default.EtcdError) is { } error)
            return (null, error);
        string text = response.Content.Headers.ContentType?.MediaType == "text/plain" ? Encoding.UTF8.GetString(answer).Trim() : "is this etcd's client URL, and its gateway on?";
        return (null, new EtcdError($"status {(int)response.StatusCode}: {text}", null));
    }

    private static string Reason(EtcdError? error)
    {
        string text = (error?.Error ?? error?.Message ?? "an empty answer").Replace('\n', ' ').TrimEnd('.');
        return text.Length <= LongestReason ? text : text[..LongestReason];
    }

    private static SslClientAuthenticationOptions Tls(EtcdOptions options)
    {
        var tls = new SslClientAuthenticationOptions();
        if (options.Certificate is { } own)
            tls.ClientCertificates = [own];
        if (options.Authorities is { } authorities)
        {
            tls.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            tls.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }

        return tls;
    }
}

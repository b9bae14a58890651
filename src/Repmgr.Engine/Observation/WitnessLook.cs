using System.Net.Security;
using Repmgr.Core.Cluster;

namespace Repmgr.Engine.Observation;

/// <summary>Looks at a witness: whether its agent answers. Nothing is decided by it, so that with TLS any certificate will do.</summary>
internal static class WitnessLook
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(3);

    /// <param name="address"><c>host:port</c></param>
    public static async Task<NodeProbe> AtAsync(string address, CancellationToken cancel)
    {
        using var client = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null },
        })
        { Timeout = Within };
        try
        {
            using HttpResponseMessage answer = await AskAsync(client, address, cancel);
            return answer.IsSuccessStatusCode
                ? new NodeProbe.Agent(address)
                : new NodeProbe.Silent($"what listens at {address} answers with status {(int)answer.StatusCode}, and is no agent");
        }
        catch (HttpRequestException failed)
        {
            return new NodeProbe.Silent($"its agent does not answer at {address}: {failed.Message}");
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new NodeProbe.Silent($"its agent does not answer at {address} within {Within.TotalSeconds:0} s");
        }
    }

    private static async Task<HttpResponseMessage> AskAsync(HttpClient client, string address, CancellationToken cancel)
    {
        try
        {
            return await client.GetAsync(new Uri($"http://{address}/liveness"), cancel);
        }
        catch (HttpRequestException plain) when (plain.HttpRequestError is not (HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError))
        {
            // It listens, and ends the connection: as an agent with TLS does.
            return await client.GetAsync(new Uri($"https://{address}/liveness"), cancel);
        }
    }
}

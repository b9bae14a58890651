using Repmgr.Core.Cluster;

namespace Repmgr.Engine.Observation;

/// <summary>Looks at a witness: whether its agent answers.</summary>
internal static class WitnessLook
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(3);

    /// <param name="address"><c>host:port</c></param>
    public static async Task<NodeProbe> AtAsync(string address, CancellationToken cancel)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = Within };
        try
        {
            using HttpResponseMessage answer = await client.GetAsync(new Uri($"http://{address}/liveness"), cancel);
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
}

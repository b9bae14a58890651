using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Repmgr.Engine.Failover;

namespace Repmgr.Agent;

/// <summary>Carries requests to the agent's API over HTTP: Kestrel, without a host, a container or a pipeline around it.</summary>
internal sealed class ApiServer : IHttpApplication<IFeatureCollection>, IAsyncDisposable
{
    private readonly AgentApi _api;
    private readonly KestrelServer _server;
    private readonly bool _isTls;

    private ApiServer(AgentApi api, string listen, AgentCertificates? certificates)
    {
        _api = api;
        _isTls = certificates is not null;
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Limits.MaxRequestBodySize = AgentApi.LargestBody;
        options.Limits.MaxConcurrentConnections = 256;
        options.Limits.MaxRequestHeadersTotalSize = 8 * 1024;
        options.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5);
        options.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(60);
        Listen(options, listen, at => Carry(at, certificates));
        _server = new KestrelServer(
            Options.Create(options),
            new SocketTransportFactory(Options.Create(new SocketTransportOptions { IOQueueCount = 1, UnsafePreferInlineScheduling = true }), NullLoggerFactory.Instance),
            NullLoggerFactory.Instance);
    }

    /// <exception cref="IOException">The address cannot be listened at.</exception>
    public static async Task<IAsyncDisposable> StartAsync(AgentApi api, string listen, AgentCertificates? certificates, CancellationToken cancel)
    {
        var server = new ApiServer(api, listen, certificates);
        await server._server.StartAsync(server, cancel);
        return server;
    }

    public IFeatureCollection CreateContext(IFeatureCollection contextFeatures) => contextFeatures;

    public async Task ProcessRequestAsync(IFeatureCollection context)
    {
        IHttpRequestFeature request = context.GetRequiredFeature<IHttpRequestFeature>();
        IHttpResponseFeature response = context.GetRequiredFeature<IHttpResponseFeature>();
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body);
        ApiReply reply = await _api.AnswerAsync(new ApiRequest(
            request.Method, request.RawTarget, name => request.Headers[name] is [var value, ..] ? value : null, body.GetBuffer().AsMemory(0, (int)body.Length))
        {
            IsTrusted = !_isTls || context.Get<ITlsConnectionFeature>()?.ClientCertificate is not null,
        });
        response.StatusCode = reply.Status;
        if (reply.Seal is { } seal)
            response.Headers[AgentApi.SealHeader] = seal;
        if (reply.Status == StatusNoContent)
            return;
        response.Headers.ContentType = reply.ContentType;
        response.Headers.ContentLength = reply.Body.Length;
        if (request.Method != "HEAD")
            await context.GetRequiredFeature<IHttpResponseBodyFeature>().Writer.WriteAsync(reply.Body);
    }

    public void DisposeContext(IFeatureCollection context, Exception? exception)
    {
        // The features belong to the server.
    }

    public async ValueTask DisposeAsync()
    {
        using var within = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _server.StopAsync(within.Token);
        _server.Dispose();
    }

    private const int StatusNoContent = 204;

    private static void Carry(ListenOptions at, AgentCertificates? certificates)
    {
        at.Protocols = HttpProtocols.Http1;
        if (certificates is null)
            return;
        var tls = new TlsConnections(certificates);
        at.Use(next => connection => tls.CarryAsync(connection, next));
    }

    private static void Listen(KestrelServerOptions options, string listen, Action<ListenOptions> carry)
    {
        int colon = listen.LastIndexOf(':');
        string host = colon < 0 ? "*" : listen[..colon].Trim('[', ']');
        if (!int.TryParse(listen.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port) || port is < 1 or > 65535)
            throw new IOException($"api_listen \"{listen}\" does not end with a port");
        if (host is "*" or "")
            options.ListenAnyIP(port, carry);
        else if (IPAddress.TryParse(host, out IPAddress? address))
            options.Listen(address, port, carry);
        else
            options.Listen(Dns.GetHostAddresses(host)[0], port, carry);
    }
}

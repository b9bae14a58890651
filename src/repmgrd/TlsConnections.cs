using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Repmgr.Engine.Failover;

namespace Repmgr.Agent;

/// <summary>
/// Puts TLS between a connection and Kestrel's HTTP. Kestrel's own (UseHttps) asks for services that only its host registers, and there is no host here
/// (docs/adr/0112).
/// </summary>
/// <param name="certificates">Those of now, for each connection anew.</param>
internal sealed class TlsConnections(AgentCertificates certificates)
{
    private static readonly TimeSpan HandshakeWithin = TimeSpan.FromSeconds(5);

    /// <summary>Speaks TLS with the other side, and has what is inside of it handled.</summary>
    /// <param name="connection">What came in.</param>
    /// <param name="next">Handles what is inside.</param>
    public async Task CarryAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        IDuplexPipe raw = connection.Transport;
        var tls = new SslStream(new PipedStream(raw), leaveInnerStreamOpen: true);
        await using (tls)
        {
            if (!await IsAgreedAsync(tls, connection.ConnectionClosed))
                return;
            connection.Features.Set<ITlsConnectionFeature>(new Shown(tls.RemoteCertificate as X509Certificate2));
            var inside = new Inside(
                PipeReader.Create(tls, new StreamPipeReaderOptions(leaveOpen: true)), PipeWriter.Create(tls, new StreamPipeWriterOptions(leaveOpen: true)));
            connection.Transport = inside;
            try
            {
                await next(connection);
            }
            finally
            {
                await inside.Input.CompleteAsync();
                await inside.Output.CompleteAsync();
                connection.Transport = raw;
            }
        }
    }

    private async Task<bool> IsAgreedAsync(SslStream tls, CancellationToken closed)
    {
        using var within = CancellationTokenSource.CreateLinkedTokenSource(closed);
        within.CancelAfter(HandshakeWithin);
        try
        {
            await tls.AuthenticateAsServerAsync(certificates.ForServer(), within.Token);
            return true;
        }
        catch (Exception failed) when (failed is AuthenticationException or IOException or OperationCanceledException)
        {
            // Who does not speak TLS, or shows what is not believed, is not answered: the connection ends.
            return false;
        }
    }

    private sealed record Inside(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    /// <summary>The certificate that the other side showed and was believed; null: it showed none.</summary>
    private sealed class Shown(X509Certificate2? certificate) : ITlsConnectionFeature
    {
        public X509Certificate2? ClientCertificate { get; set; } = certificate;

        public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult(ClientCertificate);
    }

    /// <summary>Both directions of a connection as one stream.</summary>
    private sealed class PipedStream(IDuplexPipe pipe) : Stream
    {
        private readonly Stream _in = pipe.Input.AsStream(leaveOpen: true), _out = pipe.Output.AsStream(leaveOpen: true);

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => _in.Read(buffer, offset, count);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => _in.ReadAsync(buffer, cancellationToken);

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            _in.ReadAsync(buffer, offset, count, cancellationToken);

        public override void Write(byte[] buffer, int offset, int count) => _out.Write(buffer, offset, count);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => _out.WriteAsync(buffer, cancellationToken);

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            _out.WriteAsync(buffer, offset, count, cancellationToken);

        public override void Flush() => _out.Flush();

        public override Task FlushAsync(CancellationToken cancellationToken) => _out.FlushAsync(cancellationToken);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}

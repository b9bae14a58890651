using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Repmgr.Engine.Postgres;

/// <summary>Asks a server to cancel what a session of it runs.</summary>
/// <remarks>
/// https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS. Sent in the clear, as libpq's PQcancel
/// sends it: who listens on the wire could with the key cancel a later query of this session, and the session ends soon after.
/// </remarks>
/// <param name="server">The other end of the session's own socket: a name might lead to another server.</param>
/// <param name="processId">The backend.</param>
/// <param name="secretKey">What the server gave the session for this purpose.</param>
internal sealed class CancelRequest(EndPoint server, int processId, int secretKey)
{
    private const int Code = 80877102;

    /// <summary>Ends when the server has hung up, which it does when it has signalled the backend, or at the deadline. Never fails.</summary>
    /// <param name="within">The deadline.</param>
    public async Task SendAsync(TimeSpan within)
    {
        byte[] request = new byte[16];
        BinaryPrimitives.WriteInt32BigEndian(request, request.Length);
        BinaryPrimitives.WriteInt32BigEndian(request.AsSpan(4), Code);
        BinaryPrimitives.WriteInt32BigEndian(request.AsSpan(8), processId);
        BinaryPrimitives.WriteInt32BigEndian(request.AsSpan(12), secretKey);
        using var deadline = new CancellationTokenSource(within);
        try
        {
            ProtocolType protocol = server.AddressFamily == AddressFamily.Unix ? ProtocolType.Unspecified : ProtocolType.Tcp;
            using var socket = new Socket(server.AddressFamily, SocketType.Stream, protocol);
            await socket.ConnectAsync(server, deadline.Token);
            await socket.SendAsync(request, deadline.Token);
            await socket.ReceiveAsync(request, deadline.Token);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // Whether the query ended is seen by who waits for it.
        }
    }
}

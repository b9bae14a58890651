using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;

namespace Repmgr.Engine.Daemon;

/// <summary>
/// Asks a server for a new connection and hangs up at its first word, as libpq's PQping does. Sessions that are open already go on
/// when the postmaster is frozen or out of control; only a new one tells.
/// </summary>
/// <remarks>
/// https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PQPINGPARAMS and
/// https://www.postgresql.org/docs/current/protocol-message-formats.html (StartupMessage, ErrorResponse)
/// </remarks>
public static class ServerPing
{
    private const int ProtocolVersion = 196608;
    private const string CannotConnectNow = "57P03";
    private static readonly TimeSpan LeaveWithin = TimeSpan.FromMilliseconds(100);

    /// <summary>Null when the server takes connections; otherwise why not.</summary>
    /// <param name="host">Where it listens.</param>
    /// <param name="user">Named in the greeting; need not exist.</param>
    /// <param name="database">Likewise.</param>
    /// <param name="within">The deadline.</param>
    /// <param name="cancel">Gives up, and throws.</param>
    public static async Task<NodeProbe?> TryAsync(HostTarget host, string user, string database, TimeSpan within, CancellationToken cancel)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(within);
        try
        {
            using Socket socket = await ConnectAsync(host, deadline.Token);
            await socket.SendAsync(Greeting(user, database), deadline.Token);
            byte[] answer = new byte[256];
            int read = await socket.ReceiveAsync(answer, deadline.Token);
            Leave(socket);
            if (read == 0)
                return new NodeProbe.Silent($"{host} closed a new connection without a word");
            return answer[0] == (byte)'E' && SqlState(answer.AsSpan(0, read)) == CannotConnectNow
                ? new NodeProbe.Rejected(CannotConnectNow, $"{host} takes no connections: it is starting up, shutting down or recovering")
                : null;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new NodeProbe.Silent($"{host} did not answer a new connection within {within.TotalSeconds:0.#} s");
        }
        catch (SocketException failure)
        {
            return new NodeProbe.Silent($"{host}: {failure.Message}");
        }
    }

    /// <summary>
    /// Hangs up as one who has nothing to say. To close with words of the server unread would be an error in its log. The server ends within the millisecond: the thread waits for
    /// it, which costs less than to be woken.
    /// </summary>
    private static void Leave(Socket socket)
    {
        Span<byte> rest = stackalloc byte[1024];
        try
        {
            socket.Shutdown(SocketShutdown.Send);
            while (socket.Poll(LeaveWithin, SelectMode.SelectRead) && socket.Receive(rest) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // What was to be learnt is known already.
        }
    }

    private static async Task<Socket> ConnectAsync(HostTarget host, CancellationToken cancel)
    {
        // An IPv6 socket that also speaks IPv4 lets the runtime try every address of a name.
        Socket socket = host.IsSocket
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (host.IsSocket)
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath(host)), cancel);
            else if (host.Address is { } address)
                await socket.ConnectAsync(IPAddress.Parse(address), host.Port, cancel);
            else
                await socket.ConnectAsync(host.Host, host.Port, cancel);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <remarks>A name in the abstract space is written with an <c>@</c> for its first byte, which is zero.</remarks>
    private static string SocketPath(HostTarget host)
    {
        string path = Path.Combine(host.Host, $".s.PGSQL.{host.Port}");
        return path[0] == '@' ? string.Concat("\0", path.AsSpan(1)) : path;
    }

    private static byte[] Greeting(string user, string database)
    {
        byte[] body = Encoding.UTF8.GetBytes($"user\0{user}\0database\0{database}\0\0");
        byte[] message = new byte[8 + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(message, message.Length);
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(4), ProtocolVersion);
        body.CopyTo(message, 8);
        return message;
    }

    /// <summary>The field <c>C</c> of an ErrorResponse: a letter and a text, each ended by a zero.</summary>
    private static string? SqlState(ReadOnlySpan<byte> message)
    {
        ReadOnlySpan<byte> fields = message[Math.Min(5, message.Length)..];
        while (fields.Length > 1 && fields[0] != 0)
        {
            int end = fields.IndexOf((byte)0);
            if (end < 0)
                return null;
            if (fields[0] == (byte)'C')
                return Encoding.ASCII.GetString(fields[1..end]);
            fields = fields[(end + 1)..];
        }

        return null;
    }
}

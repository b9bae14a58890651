using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Npgsql;
using Npgsql.Internal;
using Repmgr.Core.Postgres;

namespace Repmgr.Engine.Postgres;

/// <summary>
/// The keywords of libpq that are options of the socket. Npgsql has no settings for some of them, and does not give its socket
/// away; the accessors below are bound when the program is built, and a test reads the options back from a connection.
/// </summary>
internal static class SocketOptions
{
    /// <remarks>https://man7.org/linux/man-pages/man7/tcp.7.html</remarks>
    private const int TcpUserTimeout = 18;

    public static void Apply(NpgsqlConnection connection, ConnectionSettings settings)
    {
        Socket socket = Of(connection);
        if (socket.AddressFamily == AddressFamily.Unix)
            return;

        if (settings.KeepAlive)
        {
            Set(socket, SocketOptionName.TcpKeepAliveTime, settings.KeepAliveIdle?.TotalSeconds);
            Set(socket, SocketOptionName.TcpKeepAliveInterval, settings.KeepAliveInterval?.TotalSeconds);
            Set(socket, SocketOptionName.TcpKeepAliveRetryCount, settings.KeepAliveCount);
        }

        if (settings.TcpUserTimeout is { } timeout)
            socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, TcpUserTimeout, BitConverter.GetBytes((int)timeout.TotalMilliseconds));
    }

    /// <summary>The socket of an open connection.</summary>
    public static Socket Of(NpgsqlConnection connection) => SocketOf(ConnectorOf(connection)!);

    /// <summary>What a request to cancel has to name. Read from an open connection only.</summary>
    public static int SecretOf(NpgsqlConnection connection) => SecretOf(ConnectorOf(connection)!);

    private static void Set(Socket socket, SocketOptionName option, double? value)
    {
        if (value is not null)
            socket.SetSocketOption(SocketOptionLevel.Tcp, option, (int)value.Value);
    }

#pragma warning disable NPG9001 // The type is marked as subject to change; the version is pinned, and the test fails if it changed.
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Connector")]
    private static extern NpgsqlConnector? ConnectorOf(NpgsqlConnection connection);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_socket")]
    private static extern ref Socket SocketOf(NpgsqlConnector connector);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_backendSecretKey")]
    private static extern ref int SecretOf(NpgsqlConnector connector);
#pragma warning restore NPG9001
}

using System.Net.Sockets;
using System.Security.Authentication;
using Npgsql;

namespace Repmgr.Engine.Postgres;

/// <summary>Says what went wrong with a connection, in PostgreSQL's words where it has some. No message holds a password.</summary>
internal static class FailureText
{
    public static string Of(Exception failure) => failure switch
    {
        PostgresException { Detail: { Length: > 0 } detail } e => $"{e.Severity}: {e.MessageText} ({detail})",
        PostgresException e => $"{e.Severity}: {e.MessageText}",
        _ when Inner<SocketException>(failure) is { } socket => OfSocket(socket),
        // What Npgsql makes of it when the kernel has given the other host up.
        NpgsqlException { InnerException: TimeoutException } => "Connection timed out",
        _ when Inner<EndOfStreamException>(failure) is not null => "server closed the connection unexpectedly",
        _ when Inner<AuthenticationException>(failure) is { } tls => "TLS error: " + (tls.InnerException ?? tls).Message,
        NpgsqlException { InnerException: IOException io } => io.Message,
        _ => failure.Message,
    };

    /// <summary>The cause of that type, however deep it lies.</summary>
    public static T? Inner<T>(Exception? failure)
        where T : Exception
    {
        for (; failure is not null; failure = failure.InnerException)
        {
            if (failure is T found)
                return found;
        }

        return null;
    }

    private static string OfSocket(SocketException socket) => socket.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => "Connection refused",
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => "could not translate host name to address",
        SocketError.HostUnreachable => "No route to host",
        SocketError.NetworkUnreachable => "Network is unreachable",
        _ => socket.Message,
    };
}

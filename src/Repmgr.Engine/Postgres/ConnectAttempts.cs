using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Engine.Postgres;

/// <summary>One call to connect: tries host after host, and on each the ways its <c>sslmode</c> allows.</summary>
internal sealed class ConnectAttempts(ConnectionSettings settings, TimeSpan timeout, ConninfoResolver resolver)
{
    private readonly List<string> _failures = [];
    private string? _sqlState;
    private bool _rejected;

    public async Task<ConnectResult> RunAsync(CancellationToken cancel)
    {
        HostTarget[] hosts = [.. settings.Hosts];
        if (settings.RandomHost)
            Random.Shared.Shuffle(hosts);

        // prefer-standby: a first round that takes standbys only, then one that takes anything.
        SessionAttributes[] rounds = settings.Attributes == SessionAttributes.PreferStandby
            ? [SessionAttributes.Standby, SessionAttributes.Any]
            : [settings.Attributes];
        foreach (SessionAttributes wanted in rounds)
        {
            _failures.Clear();
            foreach (HostTarget host in hosts)
            {
                (PostgresSession? session, bool final) = await TryHostAsync(host, wanted, cancel);
                if (session is not null)
                    return new ConnectResult.Opened(session);
                if (final)
                    return Failed();
            }
        }

        return Failed();
    }

    private ConnectResult Failed() => _rejected
        ? new ConnectResult.Rejected(_sqlState, string.Join("; ", _failures))
        : new ConnectResult.Silent(string.Join("; ", _failures));

    /// <summary>A session; or none, and whether the other hosts must not be tried: libpq stops when a server refuses the login.</summary>
    private async Task<(PostgresSession? Session, bool Final)> TryHostAsync(HostTarget host, SessionAttributes wanted, CancellationToken cancel)
    {
        // The deadline is the host's: both attempts of sslmode=prefer share it.
        long began = Stopwatch.GetTimestamp();
        string? password = settings.Password;
        string? ignored = null;
        password ??= resolver.FindPassword(settings, host, out ignored);

        SslMode[] modes = Modes(host);
        for (int attempt = 0; attempt < modes.Length; attempt++)
        {
            TlsMapping? tls = null;
            if (modes[attempt] != SslMode.Disable && (tls = TlsMapping.Create(settings, host, resolver, out Problem? problem)) is null)
            {
                Reject(host, null, problem!.Detail is { } detail ? $"{problem.Message}: {detail}" : problem.Message);
                return (null, false);
            }

            try
            {
                NpgsqlDataSource source = NpgsqlMapping.DataSource(settings, host, modes[attempt], password, timeout, tls);
                PostgresSession session = await OpenAsync(source, host, Left(began), cancel);
                if (await CheckAsync(session, wanted, Left(began), cancel) is not { } refusal)
                    return (session, false);

                Reject(host, null, refusal);
                return (null, false);
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException or ArgumentException or System.Net.Sockets.SocketException)
            {
                if (attempt + 1 < modes.Length && Left(began) > TimeSpan.Zero && IsWorthAnotherMode(e, tls))
                    continue;

                return (null, Note(host, e, tls, ignored, late: Left(began) == TimeSpan.Zero));
            }
        }

        return (null, false);
    }

    /// <summary>
    /// Prefer means: with TLS if the server can, and without when the handshake or the login fails with it; allow, the other way round.
    /// TLS is not spoken over Unix-domain sockets.
    /// </summary>
    private SslMode[] Modes(HostTarget host) => (host.IsSocket, settings.TlsMode) switch
    {
        (true, _) or (_, TlsMode.Disable) => [SslMode.Disable],
        (_, TlsMode.Allow) => [SslMode.Disable, SslMode.Require],
        (_, TlsMode.Prefer) => [SslMode.Prefer, SslMode.Disable],
        _ => [SslMode.Require],
    };

    private static bool IsWorthAnotherMode(Exception failure, TlsMapping? tls) => failure is PostgresException
        ? failure is PostgresException { SqlState: PostgresErrorCodes.InvalidAuthorizationSpecification }
        : tls?.Distrust is not null || FailureText.Inner<System.Security.Authentication.AuthenticationException>(failure) is not null;

    private TimeSpan Left(long began)
    {
        TimeSpan left = timeout - Stopwatch.GetElapsedTime(began);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    /// <summary>Ends in time, whatever Npgsql does: an attempt that is late is left behind, and ends by its own, coarser, deadline.</summary>
    private async Task<PostgresSession> OpenAsync(NpgsqlDataSource source, HostTarget host, TimeSpan left, CancellationToken cancel)
    {
        NpgsqlConnection connection = source.CreateConnection();
        // No token, for the reason that PostgresSession gives; and a name that resolves slowly would not notice one.
        Task opening = connection.OpenAsync(CancellationToken.None);
        try
        {
            await opening.WaitAsync(left, cancel);
            SocketOptions.Apply(connection, settings);
            return new PostgresSession(source, connection, host, settings);
        }
        catch
        {
            _ = ForgetAsync(opening, connection, source);
            throw;
        }
    }

    private static async Task ForgetAsync(Task opening, NpgsqlConnection connection, NpgsqlDataSource source)
    {
        // Its end is of no interest, but has to be looked at.
        await opening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await connection.DisposeAsync();
        await source.DisposeAsync();
    }

    /// <summary>Null when this server is what <c>target_session_attrs</c> asks for; otherwise why not, and the session is closed.</summary>
    private static async Task<string?> CheckAsync(PostgresSession session, SessionAttributes wanted, TimeSpan left, CancellationToken cancel)
    {
        if (wanted == SessionAttributes.Any)
            return null;

        string? refusal = "it is not known what it is";
        try
        {
            (bool standby, bool readOnly) = await session.TryAsync(ReadStateAsync, left, cancel);
            return refusal = Refusal(wanted, standby, readOnly);
        }
        finally
        {
            if (refusal is not null)
                await session.DisposeAsync();
        }
    }

    private static string? Refusal(SessionAttributes wanted, bool standby, bool readOnly) => wanted switch
    {
        SessionAttributes.ReadWrite when readOnly => "session is read-only",
        SessionAttributes.ReadOnly when !readOnly => "session is not read-only",
        SessionAttributes.Primary when standby => "server is in hot standby mode",
        SessionAttributes.Standby when !standby => "server is not in hot standby mode",
        _ => null,
    };

    private static async Task<(bool Standby, bool ReadOnly)> ReadStateAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using NpgsqlCommand command = new(
            "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('transaction_read_only') = 'on'", connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancel);
        await reader.ReadAsync(cancel);
        return (reader.GetBoolean(0), reader.GetBoolean(1));
    }

    /// <summary>Keeps the failure for the report; true when the other hosts must not be tried.</summary>
    private bool Note(HostTarget host, Exception failure, TlsMapping? tls, string? ignored, bool late)
    {
        if (failure is PostgresException refused)
        {
            Reject(host, refused.SqlState, FailureText.Of(refused) + (ignored is null ? "" : $" ({ignored})"));
            return refused.SqlState != PostgresErrorCodes.CannotConnectNow;
        }

        if (late || failure is TimeoutException)
            Fail(host, string.Create(CultureInfo.InvariantCulture, $"timeout expired after {timeout.TotalSeconds:0.###} s"));
        else if (tls?.Distrust is { } distrust)
            Reject(host, null, "TLS error: " + distrust);
        else if (FailureText.Inner<System.Security.Authentication.AuthenticationException>(failure) is not null)
            Reject(host, null, FailureText.Of(failure));
        else if (failure.Message.Contains("No password has been provided", StringComparison.Ordinal))
        {
            Reject(host, PostgresErrorCodes.InvalidPassword, "no password supplied" + (ignored is null ? "" : $" ({ignored})"));
            return true;
        }
        else if (failure.InnerException is null && failure is not System.Net.Sockets.SocketException)
            Reject(host, null, FailureText.Of(failure));
        else
            Fail(host, FailureText.Of(failure));

        return false;
    }

    private void Reject(HostTarget host, string? sqlState, string reason)
    {
        _rejected = true;
        _sqlState = sqlState ?? _sqlState;
        Fail(host, reason);
    }

    private void Fail(HostTarget host, string reason) => _failures.Add($"connection to {host} failed: {reason}");
}

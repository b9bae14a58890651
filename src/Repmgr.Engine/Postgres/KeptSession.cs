using Npgsql;
using Repmgr.Core.Postgres;

namespace Repmgr.Engine.Postgres;

/// <summary>A connection that is made when it is first needed and then kept, for questions that are put again and again: to connect costs more than to ask. For one caller at a time.</summary>
/// <param name="connector">Makes it.</param>
/// <param name="server">Where to.</param>
/// <param name="within">How long connecting may take, and each piece of work.</param>
internal sealed class KeptSession(PostgresConnector connector, Conninfo server, TimeSpan within) : IAsyncDisposable
{
    private PostgresSession? _session;

    /// <summary>Does work on the connection. Whatever went wrong, the next call begins with a new one.</summary>
    public async Task<Answer<T>> RunAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancel)
    {
        if (_session is null)
        {
            ConnectResult connected = await connector.OpenAsync(server, within, cancel);
            if (connected is not ConnectResult.Opened opened)
                return new Answer<T>.Failed((connected as ConnectResult.Rejected)?.SqlState, connected.Failure ?? "");
            _session = opened.Session;
        }

        Answer<T> answer = await _session.RunAsync(work, within, cancel);
        if (answer is Answer<T>.Failed)
            await DisposeAsync();
        return answer;
    }

    public async ValueTask DisposeAsync()
    {
        if (_session is { } session)
        {
            _session = null;
            await session.DisposeAsync();
        }
    }
}

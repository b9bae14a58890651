using Npgsql;
using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Monitoring;
using Repmgr.Core.Postgres;
using Repmgr.Core.Settings;
using Repmgr.Engine.Observation;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Daemon;

/// <summary>One server and the connection it is looked at through, with the queries prepared.</summary>
internal sealed class WatchedServer(NodeId node, Conninfo conninfo, PostgresConnector connector, TimeProvider time) : IAsyncDisposable
{
    /// <summary>With connection_check_type = ping, a new connection is asked for at least this often.</summary>
    private static readonly TimeSpan PingEvery = TimeSpan.FromSeconds(3);

    private readonly CancellationTokenSource _abandoned = new();
    private PostgresSession? _session;
    private NpgsqlBatch? _probe;
    private bool _isPrepared;
    private string? _reopenedBecause;
    private long _pingedAt = long.MinValue;
    private Task<Sight>? _look;
    private long _beganAt;
    private long _askedAt;

    public Conninfo Conninfo => conninfo;

    /// <summary>How long the present look has had no answer.</summary>
    public TimeSpan LookingFor => time.GetElapsedTime(_beganAt);

    /// <summary>The server has not answered a query for longer than it may take. Connecting has deadlines of its own.</summary>
    public bool IsStuck(LookPolicy policy) =>
        _look is { IsCompleted: false } && Volatile.Read(ref _askedAt) is not 0 and var asked && time.GetElapsedTime(asked) > policy.QueryWithin;

    /// <summary>The look at work, or a new one.</summary>
    public Task<Sight> Look(LookPolicy policy)
    {
        if (_look is { IsCompleted: false } present)
            return present;
        _beganAt = time.GetTimestamp();
        return _look = LookAsync(policy, _abandoned.Token);
    }

    /// <summary>Gives the connection up, whatever it is doing.</summary>
    public async ValueTask DisposeAsync()
    {
        // Not by Cancel(): what it sets going would run here, in the loop.
        await _abandoned.CancelAsync();
        if (_look is { } look)
            await look;
        await CloseAsync();
        _abandoned.Dispose();
    }

    private async ValueTask CloseAsync()
    {
        _probe?.Dispose();
        _probe = null;
        if (Interlocked.Exchange(ref _session, null) is not { } session)
            return;
        try
        {
            await session.DisposeAsync();
        }
        catch (Exception failure) when (failure is NpgsqlException or IOException or InvalidOperationException)
        {
            // The farewell could not be sent; the connection is gone all the same.
        }
    }

    private async Task<Sight> LookAsync(LookPolicy policy, CancellationToken cancel)
    {
        try
        {
            if (await PingAsync(policy, cancel) is { } refusal)
                return new Sight(node, refusal, null);
            if (_session is null && await OpenAsync(cancel) is { } failure)
                return new Sight(node, failure, null);
            Volatile.Write(ref _askedAt, time.GetTimestamp());
            NodeLook look;
            using (cancel.UnsafeRegister(static session => ((PostgresSession)session!).Abandon(), _session))
                look = await AskAsync(policy);
            await CloseIfAsync(policy, look.Table);
            return new Sight(node, look.Probe, (look.Table as NodeTable.Rows)?.Records, (look.Table as NodeTable.Unreadable)?.Explain(MetadataUse.Watch));
        }
        catch (PostgresException refused)
        {
            await CloseAsync();
            return new Sight(node, new NodeProbe.Rejected(refused.SqlState, FailureText.Of(refused)), null);
        }
        catch (Exception lost) when (lost is NpgsqlException or IOException or ObjectDisposedException or OperationCanceledException or TimeoutException)
        {
            await CloseAsync();
            return new Sight(node, new NodeProbe.Silent(FailureText.Of(lost)), null);
        }
        finally
        {
            Volatile.Write(ref _askedAt, 0);
        }
    }

    /// <summary>Why no new connection is to be had; null when one is, or when it was asked for a moment ago.</summary>
    private async ValueTask<NodeProbe?> PingAsync(LookPolicy policy, CancellationToken cancel)
    {
        if (policy.Check != ConnectionCheckType.Ping || _session is not { } session)
            return null;
        if (_pingedAt != long.MinValue && time.GetElapsedTime(_pingedAt) < PingEvery)
            return null;
        NodeProbe? refusal = await ServerPing.TryAsync(session.Host, session.User, session.Database, PostgresConnector.DefaultTimeout, cancel);
        // After a failure the next look asks again.
        _pingedAt = refusal is null ? time.GetTimestamp() : long.MinValue;
        return refusal;
    }

    private async Task<NodeProbe?> OpenAsync(CancellationToken cancel)
    {
        switch (await connector.OpenAsync(conninfo, cancel))
        {
            case ConnectResult.Rejected rejected:
                return new NodeProbe.Rejected(rejected.SqlState, rejected.Reason);
            case ConnectResult.Silent silent:
                return new NodeProbe.Silent(silent.Reason);
            case ConnectResult.Opened opened:
                _session = opened.Session;
                _probe = ProbeQuery.Create(opened.Session.Connection);
                _isPrepared = false;
                _pingedAt = time.GetTimestamp();
                return null;
            default:
                throw new InvalidOperationException("a result of no known kind");
        }
    }

    // Without a token, for the reason that PostgresSession gives.
    private async Task<NodeLook> AskAsync(LookPolicy policy)
    {
        if (policy.CheckQuery is { } query)
        {
            await using NpgsqlCommand command = new(query, _session!.Connection);
            await command.ExecuteNonQueryAsync(CancellationToken.None);
        }

        NodeLook look = await ProbeQuery.ReadAsync(_probe!, CancellationToken.None);
        // What is asked every other second for years is planned once: but only when all of it can be, the table included.
        if (!_isPrepared && policy.Check != ConnectionCheckType.Connection && look.Table is NodeTable.Rows)
        {
            await _probe!.PrepareAsync(CancellationToken.None);
            _isPrepared = true;
        }

        return look;
    }

    /// <summary>
    /// A table that was changed can make a prepared query fail for good ("cached plan must not change result type"): a new connection
    /// mends that. It is tried once for each reason.
    /// </summary>
    private async ValueTask CloseIfAsync(LookPolicy policy, NodeTable table)
    {
        string? reason = (table as NodeTable.Unreadable)?.Reason;
        bool isNews = reason is not null && reason != _reopenedBecause;
        _reopenedBecause = reason;
        if (isNews || policy.Check == ConnectionCheckType.Connection)
            await CloseAsync();
    }
}

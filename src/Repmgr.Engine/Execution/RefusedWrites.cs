using Repmgr.Core.Postgres;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Execution;

/// <summary>
/// Measures how long no server takes writes while one hands over to another: from the last answer of the one, on a connection that its stop ends, until the other is writable.
/// </summary>
internal sealed class RefusedWrites : IAsyncDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(5), AnswerWithin = TimeSpan.FromSeconds(2);

    private readonly PostgresSession _before, _after;
    private readonly TimeProvider _clock;
    private readonly CancellationTokenSource _end;
    private readonly Task<long?> _refused, _taken;

    private RefusedWrites(PostgresSession before, PostgresSession after, TimeProvider clock, CancellationToken cancel)
    {
        (_before, _after, _clock) = (before, after, clock);
        _end = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        (_refused, _taken) = (RefusedAsync(), TakenAsync());
    }

    /// <summary>Begins when it is connected to both; null: it cannot be.</summary>
    /// <param name="connector">Makes the connections.</param>
    /// <param name="before">The server that is to take no more writes.</param>
    /// <param name="after">The one that is to take them then.</param>
    /// <param name="clock">Tells the time.</param>
    /// <param name="cancel">Ends it.</param>
    public static async Task<RefusedWrites?> BeginAsync(PostgresConnector connector, Conninfo before, Conninfo after, TimeProvider clock, CancellationToken cancel)
    {
        if (await connector.OpenAsync(before, AnswerWithin, cancel) is not ConnectResult.Opened { Session: var one })
            return null;
        if (await connector.OpenAsync(after, AnswerWithin, cancel) is ConnectResult.Opened { Session: var other })
            return new RefusedWrites(one, other, clock, cancel);
        await one.DisposeAsync();
        return null;
    }

    /// <summary>How long; null: it was not seen on both sides within this time.</summary>
    public async Task<TimeSpan?> LengthAsync(TimeSpan within)
    {
        try
        {
            _end.CancelAfter(within);
            return await _refused is { } from && await _taken is { } until && until > from ? _clock.GetElapsedTime(from, until) : null;
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAny(Task.WhenAll(_refused, _taken));
        await _before.DisposeAsync();
        await _after.DisposeAsync();
        _end.Dispose();
    }

    private async Task<long?> RefusedAsync()
    {
        while (true)
        {
            long asked = _clock.GetTimestamp();
            if (await _before.ExecuteAsync("SELECT 1", AnswerWithin, _end.Token) is Answer<int>.Failed)
                return asked;
            await Task.Delay(LookEvery, _clock, _end.Token);
        }
    }

    private async Task<long?> TakenAsync()
    {
        while (true)
        {
            switch (await _after.ScalarAsync<bool>("SELECT pg_catalog.pg_is_in_recovery()", AnswerWithin, _end.Token))
            {
                case Answer<bool>.Failed:
                    return null;
                case Answer<bool>.Got { Value: false } when await PromotionSteps.WritableAsync(_after, _end.Token) is null:
                    return _clock.GetTimestamp();
            }

            await Task.Delay(LookEvery, _clock, _end.Token);
        }
    }
}

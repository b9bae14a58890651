using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover;

/// <summary>A row whose commit a server acknowledged.</summary>
internal sealed record Acknowledged(int Node, long Row, TimeSpan Sent, TimeSpan At);

/// <summary>
/// A client at each node, also at one that is cut off, which writes row after row as long as its server takes them, and keeps what was
/// acknowledged.
/// </summary>
internal sealed class WritingClients : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly ConcurrentQueue<Acknowledged> _acknowledged = new();
    private readonly CancellationTokenSource _end = new();
    private readonly Task[] _clients;
    private long _row;

    private WritingClients(IEnumerable<TestServer> servers) => _clients = [.. servers.Select(server => Task.Run(() => WriteAsync(server)))];

    public IReadOnlyList<Acknowledged> Rows => [.. _acknowledged.OrderBy(row => row.At)];

    public TimeSpan Now => _clock.Elapsed;

    public static async Task<WritingClients> StartAsync(TestServer primary, IEnumerable<TestServer> all)
    {
        await primary.ExecuteAsync("create table written (id bigint primary key, node int)");
        return new WritingClients(all);
    }

    /// <summary>Waits until this many more rows were acknowledged by any other node than this one; 0: by any.</summary>
    public async Task<int> AwaitRowsAsync(int rows, int notBy, TimeSpan within)
    {
        TimeSpan from = Now;
        Acknowledged[] found = await Eventually.SatisfiesAsync(
            () => Task.FromResult(Rows.Where(row => row.Node != notBy && row.At > from).ToArray()),
            seen => seen.Length >= rows, within, notBy == 0 ? $"{rows} rows are acknowledged" : $"another node than {notBy} acknowledges {rows} rows");
        return found[^1].Node;
    }

    /// <summary>No row was sent to and acknowledged by another node once the new primary had acknowledged its first.</summary>
    public void ShouldHaveHadOnePrimaryAtATime(int newPrimary)
    {
        Acknowledged first = Rows.First(row => row.Node == newPrimary);
        Assert.DoesNotContain(Rows, row => row.Node != newPrimary && row.Sent > first.At);
    }

    /// <summary>Every row that was acknowledged is on this server.</summary>
    public async Task ShouldAllBeOnAsync(TestServer server)
    {
        HashSet<long> there = [.. (await server.RowsAsync("select id from written")).Select(row => long.Parse(row[0]!, CultureInfo.InvariantCulture))];
        Assert.DoesNotContain(Rows, row => !there.Contains(row.Row));
    }

    /// <summary>For people: the longest time without an acknowledgement since an instant.</summary>
    public TimeSpan LongestGap(TimeSpan since)
    {
        TimeSpan before = since, longest = TimeSpan.Zero;
        foreach (Acknowledged row in Rows.Where(row => row.At >= since))
        {
            longest = row.At - before > longest ? row.At - before : longest;
            before = row.At;
        }

        return longest;
    }

    public async Task StopAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_clients);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _end.Dispose();
    }

    private async Task WriteAsync(TestServer server)
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                await using var connection = new NpgsqlConnection(string.Create(CultureInfo.InvariantCulture,
                    $"Host={server.Directory};Port={server.Port};Username=postgres;Database=repmgr;Pooling=false;Timeout=2;Command Timeout=2;Cancellation Timeout=-1"));
                await connection.OpenAsync();
                while (!_end.IsCancellationRequested)
                    await WriteAsync(connection, server);
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException or InvalidOperationException)
            {
                await Task.Delay(Pause);
            }
        }
    }

    private async Task WriteAsync(NpgsqlConnection connection, TestServer server)
    {
        long row = Interlocked.Increment(ref _row);
        await using var insert = new NpgsqlCommand("insert into written values ($1, $2)", connection)
        {
            Parameters = { new() { Value = row }, new() { Value = server.NodeId } },
        };
        TimeSpan sent = Now;
        try
        {
            await insert.ExecuteNonQueryAsync();
            _acknowledged.Enqueue(new Acknowledged(server.NodeId, row, sent, Now));
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.UndefinedTable)
        {
            await Task.Delay(Pause);
        }
    }
}

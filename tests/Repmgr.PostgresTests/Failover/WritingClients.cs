using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover;

/// <summary>A row whose commit a server acknowledged, on the timeline that it wrote to.</summary>
internal sealed record Acknowledged(int Node, string Timeline, long Row, TimeSpan Sent, TimeSpan At);

/// <summary>
/// A client at each node, also at one that is cut off, which writes row after row as long as its server takes them, and keeps what was
/// acknowledged.
/// </summary>
internal sealed class WritingClients : IAsyncDisposable
{
    // A segment's name begins with its timeline: https://www.postgresql.org/docs/current/functions-admin.html
    private const string Insert = "insert into written values ($1, $2) returning substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly TimeSpan _pace;
    private readonly Lock _one = new();
    private readonly List<Acknowledged> _acknowledged = [];
    private readonly CancellationTokenSource _end = new();
    private readonly Task[] _clients;
    private long _row;

    private WritingClients(IEnumerable<Door> doors, long firstRow, TimeSpan pace)
    {
        (_row, _pace) = (firstRow, pace);
        _clients = [.. doors.Select(door => Task.Run(() => WriteAsync(door)))];
    }

    /// <summary>All of them, in the order in which they were acknowledged.</summary>
    public IReadOnlyList<Acknowledged> Rows => RowsSince(TimeSpan.Zero);

    /// <summary>The number of the newest row that anybody has begun to write.</summary>
    public long LastRow => Interlocked.Read(ref _row);

    /// <summary>One clock for all clients.</summary>
    public static TimeSpan Now => Stopwatch.GetElapsedTime(0);

    /// <param name="primary">Where the table is made.</param>
    /// <param name="all">Where rows are written.</param>
    /// <param name="pace">How long each client waits after a row; zero: not at all.</param>
    public static async Task<WritingClients> StartAsync(TestServer primary, IEnumerable<TestServer> all, TimeSpan pace = default)
    {
        await primary.ExecuteAsync("create table written (id bigint primary key, node int)");
        return new WritingClients(all.Select(server => new Door(server.Directory, server.Port, server.NodeId)), firstRow: 0, pace);
    }

    /// <summary>So many clients more, at a door that leads to whichever node it leads to.</summary>
    public static WritingClients Through(string directory, int port, int count) =>
        new(Enumerable.Repeat(new Door(directory, port, null), count), firstRow: 1_000_000_000, TimeSpan.Zero);

    /// <summary>Waits until this many more rows were acknowledged by any other node than this one; 0: by any.</summary>
    public async Task<int> AwaitRowsAsync(int rows, int notBy, TimeSpan within)
    {
        TimeSpan from = Now;
        Acknowledged[] found = await Eventually.SatisfiesAsync(
            () => Task.FromResult(RowsSince(from).Where(row => row.Node != notBy).ToArray()),
            seen => seen.Length >= rows, within, notBy == 0 ? $"{rows} rows are acknowledged" : $"another node than {notBy} acknowledges {rows} rows");
        return found[^1].Node;
    }

    /// <summary>What was acknowledged after an instant.</summary>
    public IReadOnlyList<Acknowledged> RowsSince(TimeSpan instant)
    {
        lock (_one)
        {
            int first = _acknowledged.Count;
            while (first > 0 && _acknowledged[first - 1].At > instant)
                first--;
            return _acknowledged[first..];
        }
    }

    /// <summary>This node is the last that took writes, and the others before it one after the other.</summary>
    public void ShouldHaveHadOnePrimaryAtATime(int newPrimary) => Assert.Equal(newPrimary, ShouldHaveHadOnePrimaryAtATime());

    /// <summary>
    /// Nothing was sent to and acknowledged by a node once another, promoted later, had acknowledged its first row (I1). A node that comes to be primary again does so on
    /// another timeline. Returns the last of them.
    /// </summary>
    public int ShouldHaveHadOnePrimaryAtATime() => ShouldHaveHadOnePrimaryAtATime(Rows);

    /// <param name="rows">Of several clients, in the order in which they were acknowledged.</param>
    public static int ShouldHaveHadOnePrimaryAtATime(IReadOnlyList<Acknowledged> rows)
    {
        HashSet<(int, string)> over = [];
        (int Node, string Timeline) primary = default;
        TimeSpan first = TimeSpan.Zero;
        foreach (Acknowledged row in rows)
        {
            (int, string) by = (row.Node, row.Timeline);
            if (by != primary && !over.Contains(by))
            {
                over.Add(primary);
                (primary, first) = (by, row.At);
            }

            Assert.False(by != primary && row.Sent > first, $"{row} was acknowledged although {primary} had been since {first}");
        }

        return primary.Node;
    }

    /// <summary>Every row that was acknowledged is on this server, also while clients go on.</summary>
    public async Task ShouldAllBeOnAsync(TestServer server)
    {
        IReadOnlyList<Acknowledged> rows = Rows;
        HashSet<long> there = [.. (await server.RowsAsync("select id from written")).Select(row => long.Parse(row[0]!, CultureInfo.InvariantCulture))];
        Assert.DoesNotContain(rows, row => !there.Contains(row.Row));
    }

    /// <summary>For people: the longest time without an acknowledgement since an instant.</summary>
    public TimeSpan LongestGap(TimeSpan since)
    {
        TimeSpan before = since, longest = TimeSpan.Zero;
        foreach (Acknowledged row in RowsSince(since))
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

    private async Task WriteAsync(Door door)
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                // What they are refused is nothing that a reader of the server's log looks for.
                await using var connection = new NpgsqlConnection(string.Create(CultureInfo.InvariantCulture,
                    $"Host={door.Directory};Port={door.Port};Username=postgres;Database=repmgr;Pooling=false;Timeout=2;Command Timeout=2;Cancellation Timeout=-1;Options=-c log_min_messages=fatal"));
                await connection.OpenAsync();
                int node = door.NodeId ?? await NodeAsync(connection);
                while (!_end.IsCancellationRequested)
                {
                    await WriteAsync(connection, node);
                    if (_pace > TimeSpan.Zero)
                        await Task.Delay(_pace);
                }
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException or InvalidOperationException)
            {
                await Task.Delay(Pause);
            }
        }
    }

    // The hosts are numbered as their nodes are.
    private static async Task<int> NodeAsync(NpgsqlConnection connection)
    {
        await using var ask = new NpgsqlCommand("select split_part(host(inet_server_addr()), '.', 4)::int", connection);
        return (int)(await ask.ExecuteScalarAsync())!;
    }

    private async Task WriteAsync(NpgsqlConnection connection, int node)
    {
        long row = Interlocked.Increment(ref _row);
        await using var insert = new NpgsqlCommand(Insert, connection) { Parameters = { new() { Value = row }, new() { Value = node } } };
        TimeSpan sent = Now;
        try
        {
            string timeline = (string)(await insert.ExecuteScalarAsync())!;
            lock (_one)
                _acknowledged.Add(new Acknowledged(node, timeline, row, sent, Now));
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.UndefinedTable)
        {
            await Task.Delay(Pause);
        }
    }

    /// <summary>A Unix socket, and the node behind it where that is always the same.</summary>
    private sealed record Door(string Directory, int Port, int? NodeId);
}

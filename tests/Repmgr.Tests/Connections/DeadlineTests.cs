using System.Globalization;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Postgres;

namespace Repmgr.Tests.Connections;

/// <summary>
/// Deadlines and cancellation that strike at every moment of connecting and asking. An exception in a thread that nobody waits for
/// would end this process, and with it the run: that there is a result at all is half of the proof.
/// </summary>
public sealed class DeadlineTests
{
    private const int Rounds = 300;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Whenever_they_strike_there_is_an_answer_and_nothing_stays_open(int seed)
    {
        using var server = new FakePostgres(seed) { Trouble = 8 };
        var outcomes = new int[4];
        await Parallel.ForEachAsync(Enumerable.Range(0, Rounds), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (round, _) =>
        {
            int outcome = await ConnectAndAskAsync(server, new Random((seed * Rounds) + round));
            Interlocked.Increment(ref outcomes[outcome]);
        });

        Assert.All(outcomes, count => Assert.True(count > 0, $"outcomes: {string.Join(", ", outcomes)}"));
        Assert.True(server.Cancels > 0);
        // What was left behind ends by Npgsql's own deadline, two or three seconds after.
        Assert.True(SpinWait.SpinUntil(() => server.Open == 0, TimeSpan.FromSeconds(20)), $"{server.Open} connections stay open");
    }

    /// <summary>0: no connection; 1: the statement ran; 2: it did not; 3: the caller gave up.</summary>
    private static async Task<int> ConnectAndAskAsync(FakePostgres server, Random random)
    {
        string tls = random.Next(2) == 0 ? "disable" : "prefer";
        Assert.True(Conninfo.TryParse(
            string.Create(CultureInfo.InvariantCulture, $"host=127.0.0.1 port={server.Port} user=u dbname=d sslmode={tls}"), out Conninfo? conninfo, out _));
        var connector = new PostgresConnector(new ConninfoEnvironment(new Dictionary<string, string>(), "nobody", "/nonexistent"));
        using var caller = new CancellationTokenSource();
        if (random.Next(4) == 0)
            caller.CancelAfter(Soon(random));
        try
        {
            if (await connector.OpenAsync(conninfo, Soon(random), caller.Token) is not ConnectResult.Opened opened)
                return 0;
            await using PostgresSession session = opened.Session;
            int ran = 0;
            for (int statement = 0; statement < 3; statement++)
            {
                if (await session.ExecuteAsync("SELECT", Soon(random), caller.Token) is Answer<int>.Got)
                    ran++;
            }

            return ran > 0 ? 1 : 2;
        }
        catch (OperationCanceledException) when (caller.IsCancellationRequested)
        {
            return 3;
        }
    }

    /// <summary>Between one millisecond and a second, short and long alike: whatever this machine is busy with, both sides win at times.</summary>
    private static TimeSpan Soon(Random random) => TimeSpan.FromMilliseconds(Math.Pow(1000, random.NextDouble()));
}

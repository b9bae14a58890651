using System.Diagnostics;

namespace Repmgr.PostgresTests.Harness;

/// <summary>Waits for what comes about in its own time. A test never sleeps; it says what it waits for and for how long at most.</summary>
public static class Eventually
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Looks again and again until <paramref name="holds"/> is true; fails with <paramref name="what"/> when the time is up.</summary>
    /// <param name="what">A clause: <c>the standby streams</c>.</param>
    public static Task TrueAsync(Func<Task<bool>> holds, TimeSpan within, string what) =>
        SatisfiesAsync(holds, static answer => answer, within, what);

    /// <summary>Looks once. A look that throws says no.</summary>
    public static async Task<bool> IsSoAsync(Func<Task<bool>> holds)
    {
        try
        {
            return await holds();
        }
        catch (Exception e) when (IsNotYet(e))
        {
            return false;
        }
    }

    public static Task EqualAsync<T>(T expected, Func<Task<T>> look, TimeSpan within, string what) =>
        SatisfiesAsync(look, answer => EqualityComparer<T>.Default.Equals(expected, answer), within, $"{what} is {expected}");

    /// <summary>The first answer that satisfies. A look that throws counts as a look that did not satisfy.</summary>
    public static async Task<T> SatisfiesAsync<T>(Func<Task<T>> look, Func<T, bool> satisfies, TimeSpan within, string what)
    {
        var clock = Stopwatch.StartNew();
        object? last = null;
        do
        {
            try
            {
                var answer = await look().WaitAsync(within);
                if (satisfies(answer))
                    return answer;
                last = answer;
            }
            catch (Exception e) when (IsNotYet(e))
            {
                last = e.Message;
            }

            await Task.Delay(Pause, TestContext.Current.CancellationToken);
        }
        while (clock.Elapsed < within);
        throw new TimeoutException($"Waited {within.TotalSeconds:0.#} s in vain until {what}; last seen: {last}");
    }

    private static bool IsNotYet(Exception e) =>
        e is Npgsql.NpgsqlException or IOException or TimeoutException or InvalidOperationException or Xunit.Sdk.XunitException;
}

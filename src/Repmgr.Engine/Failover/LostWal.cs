using System.Globalization;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Processes;

namespace Repmgr.Engine.Failover;

/// <summary>What a range of WAL that one node alone has is worth: so many transactions.</summary>
internal static class LostWal
{
    private const string CommitRecord = "Transaction/COMMIT";

    private static readonly TimeSpan Within = TimeSpan.FromMinutes(5);

    /// <summary>How many commits lie in the range; null: pg_waldump does not say.</summary>
    /// <param name="directory">Where its segments lie.</param>
    /// <remarks>https://www.postgresql.org/docs/current/pgwaldump.html: <c>--stats=record</c> counts by kind of record.</remarks>
    public static async Task<long?> CommitsAsync(PostgresBinaries binaries, string directory, int timeline, Lsn from, Lsn until, CancellationToken cancel)
    {
        ProgramResult result = await ExternalProgram.RunAsync(
            binaries.PathOf("pg_waldump"),
            ["--path", directory, "--timeline", timeline.ToString(CultureInfo.InvariantCulture), "--start", $"{from}", "--end", $"{until}", "--stats=record"],
            ProgramEnvironment.PlainMessages, Within, cancel);
        return result is ProgramResult.Ended ended ? Count(ended.Output) : null;
    }

    /// <summary>Reads the table of pg_waldump; null: it is none. It ends with an error where the last record is cut short, and counts those before all the same.</summary>
    internal static long? Count(string output)
    {
        string[] lines = output.Split('\n');
        if (!lines.Any(line => line.StartsWith("Total", StringComparison.Ordinal)))
            return null;
        string[]? words = lines.FirstOrDefault(line => line.StartsWith(CommitRecord + " ", StringComparison.Ordinal))?.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words is [_, var count, ..] && long.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out long commits) ? commits : 0;
    }
}

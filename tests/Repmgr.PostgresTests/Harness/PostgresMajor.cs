using System.Globalization;
using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace Repmgr.PostgresTests.Harness;

/// <summary>A PostgreSQL major version whose programs are on this machine.</summary>
/// <param name="Number">13, 15, 17, …</param>
/// <param name="BinDirectory">Where <c>initdb</c>, <c>pg_ctl</c> and the others are.</param>
public sealed record PostgresMajor(int Number, string BinDirectory)
{
    private static readonly int[] Supported = [13, 15, 17, 18, 19];

    /// <summary>
    /// The majors this run is about: <c>REPMGR_TEST_MAJORS</c> (<c>"15 19"</c>), else all that the project supports. On a
    /// machine with none of those, outside CI, whatever it has.
    /// </summary>
    public static IReadOnlyList<int> Wanted { get; } = Choose();

    /// <summary>The one for tests that need no more than one: 15 where it is wanted, else the newest wanted.</summary>
    public static int Default => Wanted.Contains(15) ? 15 : Wanted[^1];

    /// <summary>The newest wanted one that the distribution's packages have installed; null when there is none.</summary>
    public static PostgresMajor? OfDistribution =>
        Wanted.OrderDescending().Select(Find).FirstOrDefault(major => major?.BinDirectory.StartsWith("/usr/", StringComparison.Ordinal) == true);

    public string Program(string name) => Path.Combine(BinDirectory, name);

    /// <summary>Finds the programs where the distribution or <c>tools/get-postgres</c> put them; null if they are nowhere.</summary>
    public static PostgresMajor? Find(int number)
    {
        string version = number.ToString(CultureInfo.InvariantCulture);
        string below = Path.Combine("usr", "lib", "postgresql", version, "bin");
        return new[] { Path.Combine("/", below), Path.Combine(Cache(), version, below) }
            .Where(bin => File.Exists(Path.Combine(bin, "postgres")))
            .Select(bin => new PostgresMajor(number, bin))
            .FirstOrDefault();
    }

    public static PostgresMajor Of(int number) => Find(number)
        ?? throw new InvalidOperationException($"PostgreSQL {number} is not on this machine; tools/get-postgres {number} fetches it.");

    private static int[] Choose()
    {
        string? asked = Environment.GetEnvironmentVariable("REPMGR_TEST_MAJORS");
        if (!string.IsNullOrWhiteSpace(asked))
            return [.. asked.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries).Select(n => int.Parse(n, CultureInfo.InvariantCulture))];
        if (InCi || Supported.Any(n => Find(n) is not null))
            return Supported;
        int[] here = [.. Enumerable.Range(13, 20).Where(n => Find(n) is not null)];
        return here.Length > 0 ? here : Supported;
    }

    internal static bool InCi => Environment.GetEnvironmentVariable("CI") == "true";

    private static string Cache() =>
        Environment.GetEnvironmentVariable("REPMGR_PG_CACHE")
        ?? (Environment.IsPrivilegedProcess ? "/opt/pg"
            : Path.Combine(Environment.GetEnvironmentVariable("XDG_CACHE_HOME")
                ?? Path.Combine(Environment.GetEnvironmentVariable("HOME") ?? "/", ".cache"), "repmgr", "pg"));
}

/// <summary>Runs a theory once for every wanted major, handed over as its one argument (an <c>int</c>).</summary>
/// <remarks>A major that is not on this machine is skipped with that reason; in CI, which fetches them all, it fails.</remarks>
[AttributeUsage(AttributeTargets.Method)]
public sealed class EveryMajorAttribute : DataAttribute
{
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker) =>
        ValueTask.FromResult<IReadOnlyCollection<ITheoryDataRow>>([.. PostgresMajor.Wanted.Select(Row)]);

    public override bool SupportsDiscoveryEnumeration() => true;

    private static TheoryDataRow<int> Row(int number) => new(number)
    {
        Skip = PostgresMajor.InCi || PostgresMajor.Find(number) is not null
            ? null
            : $"PostgreSQL {number} is not on this machine; tools/get-postgres {number} fetches it",
    };
}

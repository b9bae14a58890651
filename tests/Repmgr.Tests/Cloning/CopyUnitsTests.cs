using CsCheck;
using Repmgr.Core.Cloning;

namespace Repmgr.Tests.Cloning;

public sealed class CopyUnitsTests
{
    private static readonly Gen<SourceFile> File = Gen.Select(
        Gen.Int[0, 7].Select(index => new[] { "base/1/", "base/16384/", "base/5/", "global/", "", "pg_xact/", "base/pgsql/", "PG_15_202209061/16384/" }[index]),
        Gen.Int[1, 5000],
        Gen.Long[0, 1L << 30],
        (directory, number, bytes) => new SourceFile($"{directory}{number}", bytes));

    [Fact]
    public void Every_file_is_copied_by_exactly_one_unit_and_no_extraneous_directory_is_protected() =>
        Gen.Select(File.List[0, 200], Gen.Int[1, 8]).Sample((files, jobs) =>
        {
            List<SourceFile> distinct = [.. files.DistinctBy(file => file.Path)];
            var tree = new CopyTree("data directory", "/a/", "/b/", CopyRules.RootFilters([]), distinct);
            IReadOnlyList<CopyUnit> units = CopyUnits.Split([tree], jobs);
            foreach (SourceFile file in distinct)
                Assert.Equal(1, units.Count(unit => Copies(unit, file.Path)));
            Assert.Equal(distinct.Sum(file => file.Bytes), units.Sum(unit => unit.Bytes));
            Assert.Single(units, unit => unit is { Files: null, Below: "" });
        });

    [Fact]
    public void One_huge_table_is_spread_over_all_processes()
    {
        List<SourceFile> segments = [.. Enumerable.Range(0, 100).Select(number => new SourceFile($"base/16384/20000.{number}", 1L << 30))];
        IReadOnlyList<CopyUnit> units = CopyUnits.Split([new CopyTree("data directory", "/a/", "/b/", [], segments)], 4);
        Assert.True(units.Count(unit => unit.Bytes > 0) >= 16);
        Assert.True(units.Max(unit => unit.Bytes) <= 7L << 30);
    }

    [Fact]
    public void One_process_walks_the_tree_without_lists_of_files()
    {
        var tree = new CopyTree("data directory", "/a/", "/b/", [], [new SourceFile("base/1/1", 1L << 30), new SourceFile("PG_VERSION", 3)]);
        Assert.All(CopyUnits.Split([tree], 1), unit => Assert.Null(unit.Files));
    }

    [Fact]
    public void Wildcards_in_names_are_taken_literally()
    {
        var tree = new CopyTree("data directory", "/a/", "/b/", [], [new SourceFile("odd[1]*", 1L << 30)]);
        CopyUnit root = Assert.Single(CopyUnits.Split([tree], 2), unit => unit.Files is null);
        Assert.Contains(@"- /odd\[1]\*", root.Filters);
    }

    // What rsync does with a unit, for names without wildcards: the first filter that fits keeps a path out.
    private static bool Copies(CopyUnit unit, string path)
    {
        if (unit.Files is { } named)
            return named.Contains(path);
        if (!path.StartsWith(unit.Below, StringComparison.Ordinal))
            return false;
        string below = "/" + path[unit.Below.Length..];
        return !unit.Filters.Any(rule => rule.StartsWith("- /", StringComparison.Ordinal) && !rule.Contains('*')
            && (below == rule[2..] || (rule.EndsWith('/') && below.StartsWith(rule[2..], StringComparison.Ordinal))));
    }
}

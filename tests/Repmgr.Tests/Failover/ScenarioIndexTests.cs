using System.Globalization;
using System.Text.RegularExpressions;

namespace Repmgr.Tests.Failover;

/// <summary>Holds the index of scenarios in docs/testing.md against the tests that there are.</summary>
public sealed partial class ScenarioIndexTests
{
    private const int Scenarios = 36;

    private static readonly IReadOnlyList<(int Number, string Test)> Rows =
    [
        .. File.ReadLines(Path.Combine(Golden.Root, "docs/testing.md")).Select(line => Row().Match(line)).Where(match => match.Success)
            .Select(match => (int.Parse(match.Groups["number"].ValueSpan, CultureInfo.InvariantCulture), match.Groups["test"].Value.Trim())),
    ];

    [Fact]
    public void Every_scenario_has_a_row() => Assert.Equal(Enumerable.Range(1, Scenarios), Rows.Select(row => row.Number));

    [Fact]
    public void Every_row_names_a_test_with_its_number_or_says_why_there_is_none()
    {
        HashSet<string> tests = [.. Tests()];
        Assert.Empty(
            from row in Rows
            let name = row.Test.Trim('`')
            where !row.Test.StartsWith("none: ", StringComparison.Ordinal) && !(tests.Contains(name) && Numbers(name).Contains(row.Number))
            select $"scenario {row.Number}: there is no test {name}, or it carries another number");
    }

    /// <summary>The numbers at the end of a name: <c>…_4_5_20</c>.</summary>
    private static IEnumerable<int> Numbers(string name) =>
        name.Split('_').Reverse().TakeWhile(word => int.TryParse(word, CultureInfo.InvariantCulture, out _)).Select(word => int.Parse(word, CultureInfo.InvariantCulture));

    private static IEnumerable<string> Tests() =>
        from file in Directory.EnumerateFiles(Path.Combine(Golden.Root, "tests"), "*.cs", SearchOption.AllDirectories)
        where !file.Contains("/obj/", StringComparison.Ordinal)
        from Match test in Test().Matches(File.ReadAllText(file))
        select test.Groups["name"].Value;

    [GeneratedRegex(@"^\| (?<number>\d+) \|[^|]*\| (?<test>.*) \|$")]
    private static partial Regex Row();

    [GeneratedRegex(@"public (static )?(async )?(void|Task) (?<name>\w+)\(")]
    private static partial Regex Test();
}

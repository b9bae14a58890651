using System.Text;

namespace Repmgr.Tests.Failover;

/// <summary>The picture in docs/failover.md: the edges of the machine, as they were walked.</summary>
internal static class Documents
{
    private const string Begin = "<!-- edges: rewritten by the tests with UPDATE_GOLDEN=1 -->\n";
    private const string End = "<!-- end of edges -->\n";

    public static string WithPicture(IEnumerable<(string From, string Name, string To, string Rule)> edges)
    {
        string page = File.ReadAllText(Path.Combine(Golden.Root, "docs/failover.md"));
        int begin = page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length, end = page.IndexOf(End, StringComparison.Ordinal);
        return page[..begin] + Picture(edges) + page[end..];
    }

    private static string Picture(IEnumerable<(string From, string Name, string To, string Rule)> edges)
    {
        var text = new StringBuilder("```mermaid\nstateDiagram-v2\n    [*] --> Voting\n    [*] --> Resuming\n");
        foreach (var way in edges.GroupBy(edge => (edge.From, edge.To)).OrderBy(way => way.Key.From, StringComparer.Ordinal).ThenBy(way => way.Key.To, StringComparer.Ordinal))
        {
            string names = string.Join(", ", way.Select(edge => $"{edge.Name} {edge.Rule}").Order(StringComparer.Ordinal));
            text.Append("    ").Append(way.Key.From).Append(" --> ").Append(way.Key.To).Append(": ").Append(names).Append('\n');
        }

        return text.Append("```\n").ToString();
    }
}

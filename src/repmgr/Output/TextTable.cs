namespace Repmgr.Cli.Output;

/// <summary>
/// A table in repmgr 5.x's form: a space before the first header, <c> | </c> between columns, a rule of dashes and
/// <c>-+-</c>, every cell padded to the widest of its column, no border.
/// </summary>
internal sealed class TextTable(params IReadOnlyList<string> headers)
{
    private readonly List<IReadOnlyList<string>> _rows = [];

    public void Add(params IReadOnlyList<string> cells)
    {
        if (cells.Count != headers.Count)
            throw new ArgumentException($"{cells.Count} cells for {headers.Count} columns", nameof(cells));
        _rows.Add(cells);
    }

    public void Write(TextWriter writer)
    {
        int[] widths = [.. headers.Select((header, column) => _rows.Select(row => Width(row[column])).Append(Width(header)).Max())];
        writer.WriteLine(Joined(headers, widths));
        writer.WriteLine($"-{string.Join("-+-", widths.Select(width => new string('-', width)))}-");
        foreach (IReadOnlyList<string> row in _rows)
            writer.WriteLine(Joined(row, widths));
    }

    // The last column is padded too, as 5.x does.
    private static string Joined(IReadOnlyList<string> cells, int[] widths) =>
        $" {string.Join(" | ", cells.Select((cell, column) => cell + new string(' ', widths[column] - Width(cell))))}";

    // Columns count characters as a reader sees them, not code units.
    private static int Width(string text) => new System.Globalization.StringInfo(text).LengthInTextElements;
}

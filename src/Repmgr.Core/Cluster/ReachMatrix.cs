using System.Globalization;

namespace Repmgr.Core.Cluster;

/// <summary>Whether one node can connect to another's server.</summary>
public enum Reach
{
    Reached,
    Failed,

    /// <summary>The node could not be asked.</summary>
    Unknown,
}

/// <summary>What one node found that tried to connect to others.</summary>
/// <param name="From">Which.</param>
/// <param name="To">Whom it tried.</param>
public sealed record ReachRow(NodeId From, IReadOnlyList<ReachedNode> To);

/// <param name="Node">Whose server, or a witness's agent.</param>
/// <param name="Failure">Why not, without any password; null: it was reached.</param>
public sealed record ReachedNode(NodeId Node, string? Failure);

/// <summary>Who can connect to whom, drawn from what nodes say: the best that any of them knows.</summary>
/// <param name="Nodes">All, by ascending node id.</param>
/// <param name="Rows">What was found. Of one node there may be several, heard from different nodes.</param>
public sealed record ReachMatrix(IReadOnlyList<NodeRecord> Nodes, IReadOnlyList<ReachRow> Rows)
{
    /// <summary>What is known of one pair. Rows that disagree are of different moments: once is enough to show that it can be.</summary>
    public Reach Of(NodeId from, NodeId to)
    {
        ReachedNode[] known = [.. Known(from, to)];
        return known.Length == 0 ? Reach.Unknown : known.Any(reached => reached.Failure is null) ? Reach.Reached : Reach.Failed;
    }

    /// <summary>Every pair, in the order of the table.</summary>
    public IEnumerable<(NodeRecord From, NodeRecord To, Reach Reach)> Pairs =>
        from one in Nodes from other in Nodes select (one, other, Of(one.Id, other.Id));

    public bool HasFailures => Pairs.Any(pair => pair.Reach == Reach.Failed);

    public bool HasGaps => Pairs.Any(pair => pair.Reach == Reach.Unknown);

    /// <summary>Who cannot connect to whom and why, in sentences without a full stop.</summary>
    public IReadOnlyList<string> Failures =>
    [
        .. Pairs.Where(pair => pair.Reach == Reach.Failed).Select(pair =>
            $"{pair.From.Label} cannot connect to {pair.To.Label}{(Known(pair.From.Id, pair.To.Id).Select(reached => reached.Failure).FirstOrDefault(why => why is { Length: > 0 }) is { } why ? $": {why}" : "")}"),
    ];

    /// <summary>Rows as repmgr 5 prints them: <c>from,to,reach</c>, 0 reached, -1 failed, -2 unknown. Lines that are not understood are left out.</summary>
    public static IReadOnlyList<ReachRow> Parse(string csv)
    {
        ArgumentNullException.ThrowIfNull(csv);
        return
        [
            .. csv.Split('\n').Select(Numbers).OfType<int[]>().Where(line => line is [_, _, 0 or -1])
                .GroupBy(line => line[0], line => new ReachedNode(new NodeId(line[1]), line[2] == 0 ? null : ""))
                .Select(row => new ReachRow(new NodeId(row.Key), [.. row])),
        ];
    }

    /// <summary>A row out of what <c>cluster show --csv</c> prints on a node: <c>id,availability,recovery</c>; null when there is none.</summary>
    public static ReachRow? ParseShown(NodeId from, string csv)
    {
        ArgumentNullException.ThrowIfNull(csv);
        ReachedNode[] to =
        [
            .. csv.Split('\n').Select(Numbers).OfType<int[]>().Where(line => line is [_, 0 or -1, _]).Select(line => new ReachedNode(new NodeId(line[0]), line[1] == 0 ? null : "")),
        ];
        return to.Length == 0 ? null : new ReachRow(from, to);
    }

    /// <summary>As <c>--csv</c> has it.</summary>
    public IEnumerable<string> Csv => Pairs.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.From.Id},{pair.To.Id},{-(int)pair.Reach}"));

    private IEnumerable<ReachedNode> Known(NodeId from, NodeId to) => Rows.Where(row => row.From == from).SelectMany(row => row.To).Where(reached => reached.Node == to);

    private static int[]? Numbers(string line)
    {
        string[] fields = line.Trim().Split(',');
        int[] numbers = [.. fields.Select(field => int.TryParse(field, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) ? number : int.MinValue)];
        return numbers is [not int.MinValue, not int.MinValue, not int.MinValue] ? numbers : null;
    }
}

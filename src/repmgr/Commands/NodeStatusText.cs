using System.Globalization;
using Repmgr.Cli.Output;
using Repmgr.Core.Checks.Nodes;
using Repmgr.Core.Cloning;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning.Following;

namespace Repmgr.Cli.Commands;

/// <summary>The forms of <c>node status</c> that repmgr 5 has.</summary>
internal static class NodeStatusText
{
    /// <param name="report">What is to be told.</param>
    /// <param name="verbose">Tell the system identifier, too.</param>
    public static IEnumerable<string> Lines(NodeStatusReport report, bool verbose) =>
        [$"Node \"{report.View.Self.Name}\":", .. Pairs(report, verbose).Select(pair => $"\t{pair.Key}: {pair.Value}")];

    public static IEnumerable<string> Csv(NodeStatusReport report)
    {
        NodeHealthView view = report.View;
        SlotView[] active = [.. view.Room.Slots.Where(slot => slot.ActivePid is not null)], inactive = [.. view.Room.Slots.Where(slot => slot.ActivePid is null)];
        yield return QuotedCsv.Line("Node name", view.Self.Name);
        yield return QuotedCsv.Line("Node ID", view.Self.Id.ToString());
        foreach ((string key, string value) in Pairs(report, verbose: true))
            yield return QuotedCsv.Line(key, value);
        yield return QuotedCsv.Number("max_wal_senders", view.Room.MaxWalSenders);
        yield return QuotedCsv.Number("occupied_wal_senders", view.Room.UsedWalSenders);
        yield return QuotedCsv.Number("max_replication_slots", view.Room.MaxSlots);
        yield return QuotedCsv.Number("active_replication_slots", active.Length);
        yield return QuotedCsv.Number("inactive_replication_slots", inactive.Length, inactive.Select(slot => slot.Name));
        yield return QuotedCsv.Number("missing_replication_slots", report.MissingSlots.Count, report.MissingSlots);
    }

    private static IEnumerable<(string Key, string Value)> Pairs(NodeStatusReport report, bool verbose)
    {
        NodeHealthView view = report.View;
        ServerFacts server = view.Node.Probe.Running!;
        yield return ("PostgreSQL version", server.Version.ToString());
        yield return ("Total data size", view.DataBytes is { } bytes ? ByteText.Of(bytes) : "n/a");
        yield return ("Conninfo", ClusterShowCommand.Shown(view.Self.Conninfo));
        if (verbose)
            yield return ("System identifier", server.SystemIdentifier.ToString(CultureInfo.InvariantCulture));
        yield return ("Role", report.Role);
        yield return ("WAL archiving", Archiving(view));
        yield return ("Archive command", view.Archiving.Command ?? (view.Archiving.Library is { } library ? $"(library {library})" : "(none)"));
        yield return ("WALs pending archiving", view.Archiving.Pending is { } pending ? $"{pending} pending files" : "n/a");
        yield return ("Replication connections", view.Room.MaxWalSenders == 0 ? "disabled" : $"{view.Room.UsedWalSenders} (of maximal {view.Room.MaxWalSenders})");
        yield return ("Replication slots", Slots(report));
        if (view.Node.Probe is not NodeProbe.Standby standby)
        {
            yield return ("Replication lag", "n/a");
            yield break;
        }

        yield return ("Upstream node", report.Upstream is { } upstream ? $"{upstream.Name} (ID: {upstream.Id})" : "n/a");
        yield return ("Replication lag", report.LagSeconds is { } seconds ? $"{seconds} seconds" : "n/a");
        yield return ("Last received LSN", standby.Received?.ToString() ?? "n/a");
        yield return ("Last replayed LSN", standby.Replayed?.ToString() ?? "n/a");
    }

    private static string Archiving(NodeHealthView view) => (view.Archiving.Mode, view.Archiving.IsAtWork(view.Node.Probe is NodeProbe.Standby)) switch
    {
        ("off", _) => "off",
        (_, true) => "enabled",
        _ => "disabled (on a standby only archive_mode = always archives)",
    };

    private static string Slots(NodeStatusReport report)
    {
        ServerRoom room = report.View.Room;
        int inactive = room.Slots.Count(slot => slot is { Physical: true, ActivePid: null });
        return room.MaxSlots == 0
            ? "disabled"
            : $"{room.Slots.Count(slot => slot.Physical)} physical (of maximal {room.MaxSlots}; {report.MissingSlots.Count} missing){(inactive > 0 ? $"; {inactive} inactive" : "")}";
    }
}

using Repmgr.Cli.Commands;
using Repmgr.Cli.Output;
using Repmgr.Core.Checks.Nodes;
using Repmgr.Core.Cloning;
using Repmgr.Core.Cluster;
using static Repmgr.Tests.Checks.HealthWorld;
using static Repmgr.Tests.Cluster.World;

namespace Repmgr.Tests.Checks;

/// <summary>What <c>node status</c> and <c>node check</c> print, in each of their forms.</summary>
public sealed class NodeOutputTests
{
    private static readonly NodeHealthView Broken = Seen(1, Primary(1, "node2"), Standby(2).Slotted("repmgr_slot_2"), Standby(3).Slotted("repmgr_slot_3"))
        .With(new SlotView("repmgr_slot_2", true, 7, false), new SlotView("old", true, null, true), new SlotView("logical", false, null, false)) with
    {
        DataBytes = 31457280,
        Archiving = new ArchivingView("on", "test \"%f\" | false", null, 20, "000000010000000000000003"),
    };

    private static readonly NodeHealthView Detached = Seen(2, Primary(1), Standby(2)) with
    {
        Archiving = new ArchivingView("on", null, "basic_archive", null, null),
        Directory = new DataDirectoryView(null, null, null),
    };

    [Fact]
    public void Node_status_for_people() =>
        Golden.Matches("tests/Repmgr.Tests/Checks/node-status.txt", Joined([Report(OfPrimary), Report(Broken), Report(OfStandby), Report(Detached)], report =>
            [.. NodeStatusText.Lines(report, verbose: report.View == Broken), .. report.Issues.Select(issue => $"  - {issue}")]));

    [Fact]
    public void Node_status_as_csv() => Golden.Matches("tests/Repmgr.Tests/Checks/node-status.csv", Joined([Report(Broken), Report(Detached)], NodeStatusText.Csv));

    [Fact]
    public void Node_status_as_json() => Golden.Matches(
        "tests/Repmgr.Tests/Checks/node-status.json", Joined([Report(Broken), Report(Detached)], report => [JsonText.Of(NodeStatusJson.Of(report), NodeStatusJsonContext.Default.NodeStatusJson, indented: true)]));

    [Fact]
    public void Node_check_for_people_as_csv_for_nagios_and_as_json() => Golden.Matches("tests/Repmgr.Tests/Checks/node-check.txt", Joined([OfPrimary, Broken, Detached], view =>
    {
        IReadOnlyList<CheckFinding> findings = NodeChecks.All(view, Limits);
        return
        [
            .. NodeCheckText.Lines(view.Self, findings), .. NodeCheckText.Csv(view.Self, findings), .. findings.Select(NodeCheckText.Nagios),
            JsonText.Of(NodeCheckJson.Of(view.Self.Id.Value, view.Self.Name, findings, findings.All(finding => finding.Status == CheckStatus.Ok) ? 0 : 25), NodeCheckJsonContext.Default.NodeCheckJson, indented: true),
        ];
    }));

    // The bar begins a plugin's numbers, and a line feed ends what is shown.
    [Fact]
    public void A_nagios_line_has_one_bar_and_is_one_line()
    {
        var finding = new CheckFinding(CheckItem.Connection, CheckStatus.Critical, "refused | by\nthe server");
        Assert.Equal("REPMGR_DB_CONNECTION CRITICAL: refused / by the server", NodeCheckText.Nagios(finding));
    }

    [Fact]
    public void No_password_that_repmgr_5_registered_is_shown()
    {
        NodeView loud = new(Record(1, NodeType.Primary) with { Conninfo = "host=node1 password=secret" }, Writable());
        NodeStatusReport report = Report(Seen(1, loud));
        string all = string.Join('\n', [.. NodeStatusText.Lines(report, true), .. NodeStatusText.Csv(report), JsonText.Of(NodeStatusJson.Of(report), NodeStatusJsonContext.Default.NodeStatusJson, true)]);
        Assert.Contains("host=node1", all, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", all, StringComparison.Ordinal);
    }

    private static NodeStatusReport Report(NodeHealthView view) => NodeStatusReport.Of(view, Limits);

    private static string Joined<T>(IEnumerable<T> worlds, Func<T, IEnumerable<string>> lines) =>
        string.Concat(worlds.Select(world => string.Concat(lines(world).Select(line => line + "\n")) + "\n"));
}

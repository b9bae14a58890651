using Repmgr.Core.Cloning;
using Repmgr.Core.Cluster;
using Repmgr.Core.CommandLine;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;

namespace Repmgr.Tests.Cloning;

public sealed class CloneWishTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("  -a  --b=c ", "-a|--b=c")]
    [InlineData("-o 'a b' \"c 'd'\" e\\ f ''", "-o|a b|c 'd'|e f|")]
    [InlineData("--x=\"a\\\"b\"", "--x=a\"b")]
    public void Options_in_a_setting_are_split_like_words_of_a_shell(string text, string words) =>
        Assert.Equal(words, string.Join('|', OptionWords.Split(text)));

    [Fact]
    public void The_originals_invocation_needs_no_configuration()
    {
        CloneWish wish = Wish(Settings.Defaults, "-D", "/data/standby", "-d", "pgbench", "-p", "5432", "-U", "repmgr", "-R", "postgres", "--verbose", "standby", "clone", "node1");
        Assert.Equal("dbname=pgbench host=node1 port=5432 user=repmgr", wish.Source(out _)!.ToString());
        Assert.Equal(CloneMethod.Rsync, wish.Method);
        Assert.Equal("/data/standby", wish.DataDirectory);
        CloneRequest request = wish.Request(CloneWorld.Source, "node1", "/data/standby");
        Assert.Equal(("postgres", null, null), (request.RemoteUser, request.SlotName, request.NodeName));
    }

    [Fact]
    public void The_configuration_lends_role_and_database_and_options_win()
    {
        Assert.True(Conninfo.TryParse("host=node2 user=rep dbname=meta sslmode=require", out Conninfo? own, out _));
        Settings settings = Settings.Defaults with { NodeId = new NodeId(2), Conninfo = own, UseReplicationSlots = true, DataDirectory = "/from/conf" };
        CloneWish wish = Wish(settings, "-h", "node1", "-U", "other", "standby", "clone");
        Conninfo source = wish.Source(out _)!;
        Assert.Equal(("node1", "other", "meta", "require"), (source["host"], source["user"], source["dbname"], source["sslmode"]));
        CloneRequest request = wish.Request(CloneWorld.Source, "node1", "/from/conf");
        Assert.Equal(("repmgr_slot_2", "node2"), (request.SlotName, request.NodeName));
        Assert.Equal("/from/conf", wish.DataDirectory);
        Assert.Equal("/from/env", (Wish(Settings.Defaults, "-h", "node1", "standby", "clone") with { PgData = "/from/env" }).DataDirectory);
    }

    [Fact]
    public void Without_a_host_nothing_is_cloned()
    {
        Assert.Null(Wish(Settings.Defaults, "standby", "clone").Source(out Problem? problem));
        Assert.Equal("the node to clone is not named", problem!.Message);
    }

    [Fact]
    public void A_standby_keeps_no_recovery_target_of_its_source()
    {
        CloneWish wish = Wish(Settings.Defaults with { RestoreCommand = "cp %f %p" }, "-h", "node1", "--recovery-min-apply-delay=2s", "standby", "clone");
        IReadOnlyDictionary<string, string?> settings = wish.StandbySettings(CloneWorld.Request with { SlotName = "s" }, Conninfo.Empty.With("host", "node1"));
        Assert.Equal(("host=node1", "s", "2000ms", "cp %f %p"), (settings["primary_conninfo"], settings["primary_slot_name"], settings["recovery_min_apply_delay"], settings["restore_command"]));
        Assert.Null(settings["recovery_target_time"]);
        Assert.Equal("sweep %r", Wish(Settings.Defaults with { ArchiveCleanupCommand = "sweep %r" }, "-h", "node1", "standby", "clone")
            .StandbySettings(CloneWorld.Request, Conninfo.Empty)["archive_cleanup_command"]);
        Assert.True(settings.ContainsKey("recovery_target_lsn"));
    }

    [Fact]
    public void The_upstream_is_what_is_asked_for_else_a_primary()
    {
        NodeRecord primary = Node(1, NodeType.Primary, "host=node1");
        NodeRecord standby = Node(2, NodeType.Standby, "host=node2");
        Conninfo at2 = Conninfo.Empty.With("host", "node2").With("port", "5432");
        CloneWish plain = Wish(Settings.Defaults with { NodeId = new NodeId(3) }, "-h", "node2", "standby", "clone");
        Assert.Equal((false, "node \"node1\" (ID: 1)"), Brief(CloneUpstream.Choose(plain, at2, "node2", true, [primary, standby], out _)));
        Assert.Equal((true, "node2"), Brief(CloneUpstream.Choose(plain, at2, "node2", true, [], out _)));
        Assert.Equal((true, "node2"), Brief(CloneUpstream.Choose(plain, at2, "node2", false, [], out _)));

        CloneWish asked = Wish(plain.Settings, "-h", "node1", "--upstream-node-id=2", "standby", "clone");
        Assert.Equal((true, "node \"node2\" (ID: 2)"), Brief(CloneUpstream.Choose(asked, at2, "node2", true, [primary, standby], out _)));
        Assert.Null(CloneUpstream.Choose(asked, at2, "node2", true, [primary], out Problem? unknown));
        Assert.Equal("upstream node 2 is not registered", unknown!.Message);
        Assert.Null(CloneUpstream.Choose(Wish(plain.Settings, "-h", "node1", "--upstream-node-id=3", "standby", "clone"), at2, "node2", true, [Node(3, NodeType.Standby, "host=node3")], out Problem? self));
        Assert.Equal("node 3 cannot be its own upstream", self!.Message);
    }

    [Fact]
    public void A_node_that_the_records_still_name_as_the_primary_is_told_so()
    {
        CloneWish former = Wish(Settings.Defaults with { NodeId = new NodeId(1) }, "-h", "node2", "standby", "clone");
        NodeRecord[] nodes = [Node(1, NodeType.Primary, "host=node1"), Node(2, NodeType.Standby, "host=node2")];
        Conninfo at2 = Conninfo.Empty.With("host", "node2");

        Assert.Null(CloneUpstream.Choose(former, at2, "node2", true, nodes, out Problem? problem));
        Assert.Equal("the records on node2 still name this node as the primary", problem!.Message);
        Assert.Contains("\"node1\" (ID: 1) is registered as the active primary", problem.Detail, StringComparison.Ordinal);
        Assert.Contains("\"repmgr standby promote\" there first", problem.Hint, StringComparison.Ordinal);

        // Once the source has been promoted it is what is streamed from, whatever the records say.
        Assert.Equal((true, "node2"), Brief(CloneUpstream.Choose(former, at2, "node2", false, nodes, out _)));
    }

    private static (bool, string) Brief(CloneUpstream? upstream) => (upstream!.IsSource, upstream.Name);

    private static NodeRecord Node(int id, NodeType type, string conninfo) =>
        new(new NodeId(id), null, true, $"node{id}", type, "default", 100, conninfo, "repmgr", null, "/etc/repmgr.conf");

    private static CloneWish Wish(Settings settings, params string[] arguments) => new(
        Assert.IsType<Invocation.Run>(CommandLineParser.Parse(arguments, CommandTable.Repmgr)).Options, settings, null, null, null, null, 2);
}

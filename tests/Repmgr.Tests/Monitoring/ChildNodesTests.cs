using Repmgr.Core.Cluster;
using Repmgr.Core.Monitoring;
using static Repmgr.Tests.Monitoring.Story;

namespace Repmgr.Tests.Monitoring;

public sealed class ChildNodesTests
{
    private static readonly NodeRecord[] Table = [Node(1, NodeType.Primary), Node(2), Node(3)];

    [Fact]
    public void A_child_that_goes_and_comes_back_is_told_of()
    {
        Story story = Watch(new ChildPolicy(TimeSpan.FromSeconds(2))).Then();

        story.Turns(2, Serving("node2")).Turns(2, Serving("node2", "node3"));

        Assert.Equal([EventName.ChildNodeDisconnect, EventName.ChildNodeReconnect], story.Events);
    }

    [Fact]
    public void A_child_registered_later_is_new()
    {
        Story story = Watch(new ChildPolicy(TimeSpan.FromSeconds(2))).Then();

        story.Turn(See(1, Primary(serves: ["node2", "node3", "node4"]), [.. Table, Node(4)]));

        Assert.Equal([EventName.ChildNodeNewConnect], story.Events);
    }

    [Fact]
    public void A_base_backup_is_no_child()
    {
        var sender = new WalSenderFacts("node3", "backup", null, null, null, null, null);
        var primary = (NodeProbe.Primary)Primary(serves: "node2");
        Story story = Watch(new ChildPolicy(TimeSpan.FromSeconds(2))).Then();

        story.Turn(See(1, primary with { Server = primary.Server with { Downstreams = [.. primary.Server.Downstreams, sender] } }, Table));

        Assert.Equal([EventName.ChildNodeDisconnect], story.Events);
    }

    [Fact]
    public void The_check_keeps_its_own_interval()
    {
        Story story = Watch(new ChildPolicy(TimeSpan.FromSeconds(10))).Then();

        story.Turns(3, Serving("node2"));
        Assert.Empty(story.Events);
        story.Turns(3, Serving("node2"));
        Assert.Equal([EventName.ChildNodeDisconnect], story.Events);
    }

    [Fact]
    public void While_the_server_is_away_its_children_are_not_judged()
    {
        Story story = Watch(new ChildPolicy(TimeSpan.FromSeconds(2))).Then();

        story.Turns(5, See(1, Silent())).Turns(2, Serving("node2", "node3"));

        Assert.DoesNotContain(story.Events, name => name.StartsWith("child_", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(null, null, 0, true)]
    [InlineData(null, null, 1, false)]
    [InlineData(2, null, 1, true)]
    [InlineData(1, 1, 1, false)]
    [InlineData(null, 1, 1, true)]
    [InlineData(null, 2, 1, false)]
    public void The_command_runs_when_too_few_are_left(int? connectedMin, int? disconnectedMin, int left, bool runs)
    {
        var policy = new ChildPolicy(TimeSpan.FromSeconds(2), connectedMin, disconnectedMin, TimeSpan.FromSeconds(10), "fence %p");
        Story story = Watch(policy).Then();

        story.Turns(5, Serving(left == 1 ? ["node2"] : []));
        Assert.Empty(story.Acts.OfType<WatchAct.RunChildCommand>());
        story.Turns(20, Serving(left == 1 ? ["node2"] : []));

        Assert.Equal(runs ? 1 : 0, story.Acts.OfType<WatchAct.RunChildCommand>().Count());
    }

    [Fact]
    public void The_command_runs_again_only_after_there_were_enough_in_between()
    {
        var policy = new ChildPolicy(TimeSpan.FromSeconds(2), ConnectedMin: 2, DisconnectTimeout: TimeSpan.FromSeconds(4), DisconnectCommand: "fence %p");
        Story story = Watch(policy);

        story.Turns(20, Serving("node2")).Turns(2, Serving("node2", "node3")).Turns(20, Serving("node3"));

        Assert.Equal(2, story.Acts.OfType<WatchAct.RunChildCommand>().Count());
    }

    [Fact]
    public void Who_was_gone_when_the_watch_began_does_not_set_the_command_off()
    {
        var policy = new ChildPolicy(TimeSpan.FromSeconds(2), ConnectedMin: 2, DisconnectTimeout: TimeSpan.Zero, DisconnectCommand: "fence %p");
        Story story = new Story(Policy(1, children: policy)).Turns(20, Serving("node2"));

        Assert.Empty(story.Acts.OfType<WatchAct.RunChildCommand>());
        Assert.Single(story.Lines, "standby \"node3\" (ID: 3) is registered below this node but not attached");
    }

    private static Sight Serving(params string[] names) => See(1, Primary(serves: names), Table);

    private static Story Watch(ChildPolicy policy) => new Story(Policy(1, children: policy)).Turn(Serving("node2", "node3"));
}

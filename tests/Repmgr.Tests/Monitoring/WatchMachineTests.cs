using Repmgr.Core.Cluster;
using Repmgr.Core.Monitoring;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using static Repmgr.Tests.Monitoring.Story;

namespace Repmgr.Tests.Monitoring;

public sealed class WatchMachineTests
{
    private static readonly NodeRecord One = Node(1, NodeType.Primary);
    private static readonly NodeRecord Two = Node(2);

    [Fact]
    public void A_registered_standby_that_streams_is_watched_and_a_row_is_kept_in_every_turn()
    {
        Story story = WellStandby().Turns(3, See(2, Standby(received: 900, replayed: 850), One, Two), See(1, Primary(written: 1000), One, Two));

        Assert.Equal([EventName.RepmgrdStart], story.Events);
        MonitoringRow row = Assert.IsType<WatchAct.KeepHistory>(Assert.Single(story.Last.Acts)).Row;
        Assert.Equal((new NodeId(1), new NodeId(2)), (row.Primary, row.Standby));
        Assert.Equal((100, 50), (row.ReplicationLag, row.ApplyLag));
        Assert.Equal((new Lsn(1000), new Lsn(900)), (row.PrimaryLocation, row.StandbyLocation));
        Assert.Empty(story.Last.Lines);
    }

    [Fact]
    public void A_standby_that_was_seen_later_than_the_primary_is_not_ahead_of_it()
    {
        Story story = WellStandby().Turn(See(2, Standby(received: 1200), One, Two), See(1, Primary(written: 1000), One, Two));

        MonitoringRow row = story.Last.Acts.OfType<WatchAct.KeepHistory>().Single().Row;
        Assert.Equal((0, 0), (row.ReplicationLag, row.ApplyLag));
    }

    [Fact]
    public void No_row_is_kept_when_the_history_is_switched_off()
    {
        Story story = new Story(Policy(2, history: false)).Turns(3, See(2, Standby(), One, Two), See(1, Primary(), One, Two));

        Assert.Empty(story.Acts.OfType<WatchAct.KeepHistory>());
    }

    [Fact]
    public void A_standby_that_is_not_registered_is_registered_as_the_original_did()
    {
        Story story = new Story(Policy(2)).Turns(2, See(2, Standby(), One), See(1, Primary(), One));

        WatchAct.Write write = Assert.Single(story.Acts.OfType<WatchAct.Write>());
        Assert.Equal(Two, write.Record);
        Assert.Equal(One, write.Primary);
        Assert.Equal(EventName.StandbyRegister, write.Then?.Name);
        Assert.Equal(new EventSubject(One.Id, One.Conninfo, One.Name), write.Then?.About);
        Assert.Empty(story.Acts.OfType<WatchAct.KeepHistory>());
    }

    [Fact]
    public void A_registration_that_does_not_arrive_is_asked_for_again_only_after_a_while()
    {
        Story story = new Story(Policy(2)).Turns(16, See(2, Standby(), One), See(1, Primary(), One));

        Assert.Equal(2, story.Acts.OfType<WatchAct.Write>().Count());
    }

    [Fact]
    public void Nothing_is_registered_while_the_primary_is_away()
    {
        Story story = new Story(Policy(2)).Turns(50, See(2, Standby(), One), See(1, Silent()));

        Assert.Empty(story.Acts.OfType<WatchAct.Write>());
    }

    [Fact]
    public void Where_no_node_is_registered_the_operator_is_told_once_what_to_do()
    {
        Story story = new Story(Policy(2)).Turns(20, See(2, Standby()));

        Assert.Single(story.Lines, "no node is registered in this cluster yet");
        Assert.Empty(story.Acts);
    }

    [Fact]
    public void One_look_without_an_answer_is_no_event()
    {
        Story story = WellStandby().Then()
            .Turn(See(2, Standby(from: null), One, Two), See(1, Silent()))
            .Turn(See(2, Standby(), One, Two), See(1, Primary(), One, Two));

        Assert.Empty(story.Events);
        Assert.Equal(2, story.Lines.Count);
    }

    [Fact]
    public void A_lost_upstream_is_told_once_then_watched_degraded_and_its_return_is_told()
    {
        Story story = WellStandby().Then().Turns(60, See(2, Standby(from: null), One, Two), See(1, Silent()));

        Assert.Equal([EventName.RepmgrdUpstreamDisconnect, EventName.StandbyDisconnectManual], story.Events);
        Assert.IsType<UpstreamLink.Degraded>(story.State.Upstream);

        story.Then().Turns(3, See(2, Standby(), One, Two), See(1, Primary(), One, Two));
        Assert.Equal([EventName.RepmgrdUpstreamReconnect], story.Events);
        Assert.IsType<UpstreamLink.Normal>(story.State.Upstream);
    }

    [Fact]
    public void While_no_primary_is_known_to_live_all_nodes_are_looked_at_in_every_turn()
    {
        NodeRecord three = Node(3);
        Story story = new Story(Policy(2)).Turns(3, See(2, Standby(), One, Two, three), See(1, Primary(), One, Two, three));
        Assert.Equal([One], story.Last.Look);

        story.Turn(See(2, Standby(), One, Two, three), See(1, Silent()));
        Assert.Equal([One, three], story.Last.Look);
    }

    [Fact]
    public void Every_half_minute_all_nodes_are_looked_at()
    {
        NodeRecord three = Node(3);
        Story story = new Story(Policy(2));
        int scans = 0;
        for (int turn = 0; turn < 60; turn++)
        {
            story.Turn(See(2, Standby(), One, Two, three), See(1, Primary(), One, Two, three));
            scans += story.Last.Look.Contains(three) ? 1 : 0;
        }

        Assert.Equal(4, scans);
    }

    [Fact]
    public void A_promotion_by_hand_is_recorded_and_the_former_primary_is_marked_inactive()
    {
        Story story = WellStandby().Then().Turns(3, See(2, Primary(timeline: 2), One, Two), See(1, Silent()));

        WatchAct.Write write = Assert.Single(story.Acts.OfType<WatchAct.Write>());
        Assert.Equal(Two with { Type = NodeType.Primary, Upstream = null }, write.Record);
        Assert.Equal([One.Id], write.Deactivate);
        Assert.Equal([EventName.RepmgrdReload], story.Events);
        Assert.Contains("node \"node2\" (ID: 2) was promoted: it is a primary now", story.Lines);
    }

    [Fact]
    public void A_promotion_that_the_command_has_recorded_is_not_recorded_again()
    {
        NodeRecord promoted = Two with { Type = NodeType.Primary, Upstream = null };
        NodeRecord former = One with { Active = false };
        Story story = WellStandby().Then()
            .Turn(See(2, Primary(timeline: 2), One, Two), See(1, Silent()))
            .Turns(3, See(2, Primary(timeline: 2), former, promoted), See(1, Silent()));

        Assert.Empty(story.Acts.OfType<WatchAct.Write>());
        Assert.Equal([EventName.RepmgrdReload], story.Events);
    }

    [Fact]
    public void A_former_primary_that_streams_from_another_node_is_recorded_as_its_standby()
    {
        NodeRecord two = Two with { Type = NodeType.Primary, Upstream = null };
        NodeRecord one = One with { Active = false };
        Story story = new Story(Policy(1)).Turns(2, See(1, Primary(), One, Two));
        story.Then().Turns(3, See(1, Standby(timeline: 2, from: 2), one, two), See(2, Primary(timeline: 2, serves: "node1"), one, two));

        WatchAct.Write write = Assert.Single(story.Acts.OfType<WatchAct.Write>());
        Assert.Equal(Node(1, NodeType.Standby, upstream: 2), write.Record);
        Assert.Equal([EventName.RepmgrdStandbyReconnect, EventName.RepmgrdReload], story.Events);
    }

    [Fact]
    public void Another_upstream_chosen_by_hand_is_recorded()
    {
        NodeRecord three = Node(3);
        Story story = new Story(Policy(3)).Turns(2, See(3, Standby(from: 1), One, Two, three), See(1, Primary(), One, Two, three));
        story.Then().Turns(3, See(3, Standby(from: 2), One, Two, three), See(1, Primary(), One, Two, three), See(2, Standby(), One, Two, three));

        WatchAct.Write write = Assert.Single(story.Acts.OfType<WatchAct.Write>());
        Assert.Equal(new NodeId(2), write.Record.Upstream);
        Assert.Equal([EventName.RepmgrdReload], story.Events);
    }

    [Fact]
    public void An_upstream_whose_address_is_written_differently_is_known_by_the_standby_it_serves()
    {
        NodeRecord odd = One with { Conninfo = "host=192.0.2.1 dbname=repmgr" };
        Story story = new Story(Policy(2)).Turns(2, See(2, Standby(from: 1), odd), See(1, Primary(serves: "node2"), odd));

        Assert.Equal(new NodeId(1), story.Acts.OfType<WatchAct.Write>().Single().Record.Upstream);
        Assert.Equal(new NodeId(1), story.State.Upstream.Upstream);
    }

    [Fact]
    public void Two_primaries_are_an_outcry_and_nothing_is_recorded()
    {
        Story story = WellStandby().Then().Turns(20, See(2, Primary(timeline: 2), One, Two), See(1, Primary(), One, Two));

        Assert.Contains(story.Last.Next.Complaints, line => line is { Severity: Severity.Crit, Message: "more than one node is a primary" });
        Assert.Empty(story.Acts.OfType<WatchAct.Write>());
        Assert.Single(story.Lines, "more than one node is a primary");
    }

    /// <summary>A packet that a broken line held back may be the answer of a server that is gone since.</summary>
    [Fact]
    public void A_second_primary_that_is_seen_once_is_no_outcry_and_nothing_is_recorded_meanwhile()
    {
        Story story = WellStandby().Then().Turns(1, See(2, Primary(timeline: 2), One, Two), See(1, Primary(), One, Two));

        Assert.DoesNotContain("more than one node is a primary", story.Lines);
        Assert.Empty(story.Acts.OfType<WatchAct.Write>());

        story.Then().Turns(3, See(2, Primary(timeline: 2), One, Two), See(1, Standby(from: 2), One, Two));
        Assert.DoesNotContain("more than one node is a primary", story.Lines);
        Assert.Contains(story.Acts.OfType<WatchAct.Write>(), write => write.Record is { Type: NodeType.Primary } record && record.Id == new NodeId(2));
    }

    [Fact]
    public void A_server_of_another_cluster_is_told_and_counts_as_not_running()
    {
        Story story = WellStandby().Then().Turns(5, See(2, Standby(cluster: 42), One, Two), See(1, Primary(), One, Two));

        Assert.Contains("the server of node \"node2\" (ID: 2) does not belong to this cluster", story.Lines);
        Assert.Equal([EventName.StandbyFailure], story.Events);
        Assert.Empty(story.Acts.OfType<WatchAct.KeepHistory>());
        Assert.False(Assert.Single(story.Acts.OfType<WatchAct.Write>()).Record.Active);

        story.Then().Turns(3, See(2, Standby(), One, Two with { Active = false }), See(1, Primary(), One, Two with { Active = false }));
        Assert.Equal([EventName.StandbyRecovery], story.Events);
        Assert.True(Assert.Single(story.Acts.OfType<WatchAct.Write>()).Record.Active);
    }

    [Fact]
    public void A_primary_of_another_cluster_is_no_second_primary_and_takes_no_rows()
    {
        Story story = WellStandby().Then().Turns(5, See(2, Primary(cluster: 42)), See(1, Primary(), One, Two));

        Assert.DoesNotContain("more than one node is a primary", story.Lines);
        Assert.IsNotType<NodeProbe.Primary>(story.Last.Seen.Own.Probe);
        Assert.Equal([EventName.StandbyFailure], story.Events);
    }

    [Fact]
    public void Where_the_primary_was_a_server_of_another_cluster_is_not_taken_for_it()
    {
        Story story = WellStandby().Then().Turns(5, See(2, Standby(from: null), One, Two), See(1, Primary(cluster: 42)));

        Assert.Contains("the server of node \"node1\" (ID: 1) does not belong to this cluster", story.Lines);
        Assert.DoesNotContain("the server of node \"node2\" (ID: 2) does not belong to this cluster", story.Lines);
        Assert.Equal([EventName.RepmgrdUpstreamDisconnect], story.Events);
        Assert.Empty(story.Acts.OfType<WatchAct.KeepHistory>());
    }

    [Fact]
    public void Who_began_beside_a_server_of_another_cluster_cannot_tell_which_is_which_and_compares_nothing()
    {
        Story story = new Story(Policy(2)).Turns(5, See(2, Standby(cluster: 42), One, Two), See(1, Primary(), One, Two));

        Assert.Contains("the server of node \"node2\" (ID: 2) does not belong to this cluster", story.Lines);
        Assert.DoesNotContain(story.Acts, act => act is not WatchAct.Tell);
    }

    [Fact]
    public void A_cluster_made_anew_is_this_cluster_as_soon_as_two_servers_say_so()
    {
        Story story = WellStandby().Then().Turns(5, See(2, Standby(cluster: 42), One, Two), See(1, Primary(cluster: 42), One, Two));

        Assert.Empty(story.State.Complaints);
        Assert.Equal(5, story.Acts.OfType<WatchAct.KeepHistory>().Count());
    }

    [Fact]
    public void On_another_timeline_no_lag_is_computed()
    {
        NodeRecord two = Two with { Type = NodeType.Primary, Upstream = null };
        NodeRecord three = Node(3, upstream: 1);
        Story story = new Story(Policy(3))
            .Turns(5, See(3, Standby(from: null, timeline: 1), One, Two, three), See(1, Silent()), See(2, Primary(timeline: 2), One, two, three));

        Assert.Empty(story.Acts.OfType<WatchAct.KeepHistory>());
    }

    [Fact]
    public void A_standby_that_is_down_is_marked_inactive_and_active_again_when_it_is_back()
    {
        Story story = WellStandby().Then().Turns(5, See(2, Silent()), See(1, Primary(), One, Two));
        Assert.Equal([EventName.StandbyFailure], story.Events);
        Assert.False(Assert.Single(story.Acts.OfType<WatchAct.Write>()).Record.Active);

        NodeRecord down = Two with { Active = false };
        story.Then().Turns(3, See(2, Standby(startedAt: 9), One, down), See(1, Primary(), One, down));
        Assert.Equal([EventName.StandbyRecovery], story.Events);
        Assert.True(Assert.Single(story.Acts.OfType<WatchAct.Write>()).Record.Active);
        Assert.Contains("the server of node \"node2\" (ID: 2) was restarted", story.Lines);
    }

    [Fact]
    public void A_primary_that_is_down_is_told_and_its_record_stays()
    {
        Story story = new Story(Policy(1)).Turns(2, See(1, Primary(), One)).Then().Turns(5, See(1, Silent()));
        Assert.Equal([EventName.RepmgrdLocalDisconnect], story.Events);

        story.Then().Turns(2, See(1, Primary(), One));
        Assert.Equal([EventName.RepmgrdLocalReconnect], story.Events);
        Assert.Empty(story.Acts.OfType<WatchAct.Write>());
    }

    [Fact]
    public void A_server_that_is_down_at_the_start_is_waited_for()
    {
        Story story = new Story(Policy(2)).Turns(100, See(2, Silent()));
        Assert.Empty(story.Events);
        Assert.Null(story.Last.Exit);
        Assert.Contains("waiting for the server of node \"node2\" (ID: 2)", story.Lines);

        story.Turns(2, See(2, Standby(), One, Two), See(1, Primary(), One, Two));
        Assert.Equal([EventName.RepmgrdStart], story.Events);
    }

    [Fact]
    public void An_inactive_node_ends_the_daemon_at_its_start_only_when_that_is_wished()
    {
        NodeRecord inactive = Two with { Active = false };
        Sight[] others = [See(1, Primary(), One, inactive)];

        Assert.Equal(ExitCode.BadConfig, new Story(Policy(2, exitOnInactive: true)).Turn(See(2, Standby(), One, inactive), others).Last.Exit);
        Story story = new Story(Policy(2)).Turns(3, See(2, Standby(), One, inactive), others);
        Assert.Null(story.Last.Exit);
        Assert.True(Assert.Single(story.Acts.OfType<WatchAct.Write>()).Record.Active);
    }

    [Fact]
    public void A_status_line_says_every_five_minutes_what_is_watched()
    {
        Story story = WellStandby().Then().Turns(300, See(2, Standby(), One, Two), See(1, Primary(), One, Two));

        Assert.Equal(
            ["node \"node2\" (ID: 2) monitoring upstream node \"node1\" (ID: 1) in normal state", "node \"node2\" (ID: 2) monitoring upstream node \"node1\" (ID: 1) in normal state"],
            story.Lines);
    }

    private static Story WellStandby() =>
        new Story(Policy(2)).Turns(2, See(2, Standby(), One, Two), See(1, Primary(), One, Two));
}

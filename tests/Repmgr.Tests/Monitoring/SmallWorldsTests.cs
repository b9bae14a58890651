using Repmgr.Core.Cluster;
using Repmgr.Core.Monitoring;
using static Repmgr.Tests.Monitoring.Story;

namespace Repmgr.Tests.Monitoring;

/// <summary>Every story of a few scenes from a small alphabet, and then peace.</summary>
public sealed class SmallWorldsTests
{
    private static readonly NodeRecord One = Node(1, NodeType.Primary);
    private static readonly NodeRecord Two = Node(2);
    private static readonly NodeRecord TwoPromoted = Node(2, NodeType.Primary);

    private static readonly (string Name, Action<Story> Play)[] Scenes =
    [
        ("well", story => story.Turn(See(2, Standby(), One, Two), See(1, Primary(), One, Two))),
        ("unregistered", story => story.Turn(See(2, Standby(), One), See(1, Primary(), One))),
        ("upstream gone", story => story.Turn(See(2, Standby(from: null), One, Two), See(1, Silent()))),
        ("upstream starting", story => story.Turn(See(2, Standby(from: null), One, Two), See(1, new NodeProbe.Rejected("57P03", "starting up")))),
        ("own gone", story => story.Turn(See(2, Silent()), See(1, Primary(), One, Two))),
        ("both gone", story => story.Turn(See(2, Silent()), See(1, Silent()))),
        ("promoted", story => story.Turn(See(2, Primary(timeline: 2), One, Two), See(1, Silent()))),
        ("promoted and recorded", story => story.Turn(See(2, Primary(timeline: 2), One with { Active = false }, TwoPromoted), See(1, Silent()))),
        ("two primaries", story => story.Turn(See(2, Primary(timeline: 2), One, Two), See(1, Primary(), One, Two))),
        ("foreign", story => story.Turn(See(2, Standby(cluster: 42), One, Two), See(1, Primary(), One, Two))),
        ("inactive", story => story.Turn(See(2, Standby(), One, Two with { Active = false }), See(1, Primary(), One, Two with { Active = false }))),
        ("no table", story => story.Turn(See(2, Standby()))),
    ];

    [Fact]
    public void In_peace_the_watch_comes_to_rest_in_the_same_state_whatever_came_before()
    {
        foreach (int[] path in Paths(4))
        {
            Story story = Play(path);
            story.Turns(4, See(2, Standby(), One, Two), See(1, Primary(), One, Two)).Then();
            story.Turns(3, See(2, Standby(), One, Two), See(1, Primary(), One, Two));

            string tale = Tale(path);
            Assert.True(story.State.Own is OwnServer.Up { IsPrimary: false }, tale);
            Assert.True(story.State.Upstream is UpstreamLink.Normal { Node.Value: 1 }, tale);
            Assert.True(story.State is { Watching: { IsPrimary: false, Upstream.Value: 1 }, Wish: null, Complaints.Count: 0, Primary.Value: 1 }, tale);
            Assert.True(story.Events.Count == 0 && story.Lines.Count == 0, tale);
            Assert.True(story.Acts.Count == 3 && story.Acts.All(act => act is WatchAct.KeepHistory), tale);
        }
    }

    [Fact]
    public void Losses_and_returns_are_told_in_turn()
    {
        foreach (int[] path in Paths(3))
        {
            Story story = Play(path);
            story.Turns(4, See(2, Standby(), One, Two), See(1, Primary(), One, Two));

            AssertAlternates(story, EventName.RepmgrdUpstreamDisconnect, path, EventName.RepmgrdUpstreamReconnect, EventName.RepmgrdReload, EventName.RepmgrdStart);
            AssertAlternates(story, EventName.StandbyFailure, path, EventName.StandbyRecovery, EventName.RepmgrdLocalReconnect);
            Assert.True(story.Events.Count(name => name == EventName.RepmgrdStart) == 1, Tale(path));
        }
    }

    [Fact]
    public void Nothing_is_written_where_it_could_be_wrong()
    {
        foreach (int[] path in Paths(3))
        {
            Story story = new(Policy(2));
            foreach (int scene in path)
            {
                Scenes[scene].Play(story.Then());
                string name = Scenes[scene].Name;
                WatchAct.Write[] writes = [.. story.Acts.OfType<WatchAct.Write>()];
                if (name is "two primaries" or "foreign" or "upstream gone" or "upstream starting" or "both gone" or "no table" or "well" or "promoted and recorded")
                    Assert.True(writes.Length == 0, Tale(path));
                if (name is not ("well" or "inactive"))
                    Assert.True(!story.Acts.OfType<WatchAct.KeepHistory>().Any(), Tale(path));
                Assert.All(writes, write => Assert.Equal(new NodeId(2), write.Record.Id));
                Assert.Null(story.Last.Exit);
            }
        }
    }

    [Fact]
    public void The_edges_of_the_machine_are_those_on_file()
    {
        var edges = new SortedSet<string>(StringComparer.Ordinal);
        foreach (int[] path in Paths(3))
        {
            Story story = new(Policy(2));
            foreach (int scene in path)
            {
                string before = Shape(story.State);
                Scenes[scene].Play(story.Then());
                string events = story.Events.Count == 0 ? "" : $"  [{string.Join(", ", story.Events)}]";
                edges.Add($"{before} --{Scenes[scene].Name}--> {Shape(story.State)}{events}");
            }
        }

        Golden.Matches("tests/Repmgr.Tests/Monitoring/watch-machine.txt", string.Join('\n', edges) + "\n");
    }

    private static string Shape(WatchState state)
    {
        string own = state.Own switch
        {
            OwnServer.Unseen => "unseen",
            OwnServer.Up up => up.IsPrimary ? "primary" : "standby",
            OwnServer.Missing missing => $"{(missing.Before.IsPrimary ? "primary" : "standby")} {(missing.IsAnnounced ? "gone" : "missed")}",
            _ => "?",
        };
        string link = state.Upstream switch
        {
            UpstreamLink.Normal => "upstream normal",
            UpstreamLink.Missing missing => missing.Misses >= WatchMachine.MissesThatCount ? "upstream gone" : "upstream missed",
            UpstreamLink.Degraded => "upstream given up",
            _ => "no upstream",
        };
        string watching = state.Watching is null ? "not started" : state.Watching.IsPrimary ? "watching as primary" : "watching as standby";
        return $"({own}, {link}, {watching})";
    }

    private static Story Play(int[] path)
    {
        Story story = new(Policy(2));
        foreach (int scene in path)
            Scenes[scene].Play(story);
        return story;
    }

    private static void AssertAlternates(Story story, string loss, int[] path, params string[] ends)
    {
        bool lost = false;
        foreach (string name in story.Events)
        {
            Assert.False(lost && name == loss, Tale(path));
            lost = name == loss || (lost && !ends.Contains(name));
        }
    }

    private static string Tale(int[] path) => string.Join(", ", path.Select(scene => Scenes[scene].Name));

    private static IEnumerable<int[]> Paths(int length)
    {
        int count = (int)Math.Pow(Scenes.Length, length);
        for (int number = 0; number < count; number++)
        {
            int[] path = new int[length];
            for (int at = 0, rest = number; at < length; at++, rest /= Scenes.Length)
                path[at] = rest % Scenes.Length;
            yield return path;
        }
    }
}

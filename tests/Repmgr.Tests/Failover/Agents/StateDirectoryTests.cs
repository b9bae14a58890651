using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Problems;
using Repmgr.Engine.Failover;
using Repmgr.Engine.Files;

namespace Repmgr.Tests.Failover.Agents;

public sealed class StateDirectoryTests : IDisposable
{
    private readonly string _place = Directory.CreateTempSubdirectory("repmgr-state-").FullName;

    private string Data => Path.Combine(_place, "data");

    private string State => StateDirectory.DefaultFor(Data);

    public StateDirectoryTests() => Directory.CreateDirectory(Data);

    public void Dispose() => Directory.Delete(_place, recursive: true);

    [Fact]
    public void A_voter_is_the_same_after_a_restart_and_another_in_a_new_directory()
    {
        VoterIdOf(State, out ulong first);
        VoterIdOf(State, out ulong again);
        Assert.Equal(first, again);
        Directory.Delete(State, recursive: true);
        VoterIdOf(State, out ulong other);
        Assert.NotEqual(first, other);
    }

    [Fact]
    public void The_secret_is_kept_for_its_owner_alone()
    {
        using StateDirectory state = Open(State);
        Assert.Null(state.Secret());
        state.KeepSecret([1, 2, 255]);
        Assert.Equal([1, 2, 255], state.Secret());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(State, "cluster_secret")));
    }

    [Fact]
    public void It_notes_when_a_term_was_heard_of_first()
    {
        using StateDirectory state = Open(State);
        DateTimeOffset before = TimeProvider.System.GetUtcNow();
        DurableState durable = DurableState.Unadmitted(null) with { Announced = OneAgent.First };
        state.Change(content => content with { Durable = durable });
        TermBegan first = Assert.Single(state.Content.Began!);
        Assert.Equal(new Term(1), first.Term);
        Assert.InRange(first.At, before, TimeProvider.System.GetUtcNow());
        state.Change(content => content with { Durable = durable with { Announced = OneAgent.First.PromotedAt(OneAgent.At(900), new Term(4), new NodeId(2)) } });
        Assert.Equal([new Term(1), new Term(4)], state.Content.Began!.Select(began => began.Term));
        Assert.Equal(first, state.Content.Began![0]);
    }

    [Fact]
    public void Two_agents_do_not_share_one()
    {
        using StateDirectory state = Open(State);
        Assert.Contains("another repmgrd holds", Refused(State, 1), StringComparison.Ordinal);
    }

    [Fact]
    public void It_is_refused_inside_the_data_directory_for_another_node_and_when_damaged()
    {
        Assert.Contains("lies inside the data directory", Refused(Path.Combine(Data, "state"), 1), StringComparison.Ordinal);
        Open(State).Dispose();
        Assert.Contains("cannot be used", Refused(State, 2), StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(State, "agent.json"), "{");
        Assert.Contains("cannot be used", Refused(State, 1), StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_is_kept_from_being_started_while_its_signal_file_is_away_and_never_after()
    {
        string conf = AutoConf.PathIn(Data);
        File.WriteAllText(conf, "primary_conninfo = ''");
        SafeBoot.Close(Data);
        SafeBoot.Close(Data);
        Assert.Single(File.ReadAllLines(conf), line => line.StartsWith("repmgr_promotion_under_way = ", StringComparison.Ordinal));
        SafeBoot.Open(Data);
        SafeBoot.Open(Data);
        Assert.True(SignalFiles.IsStandby(Data));
        Assert.Equal(["primary_conninfo = ''"], File.ReadAllLines(conf));
    }

    private static void VoterIdOf(string path, out ulong state)
    {
        using StateDirectory directory = StateDirectory.Open(path, "/nowhere", new NodeId(1)).Directory!;
        state = directory.Content.Voter.State;
    }

    private StateDirectory Open(string path) => StateDirectory.Open(path, Data, new NodeId(1)).Directory!;

    private string Refused(string path, int node)
    {
        (StateDirectory? directory, Problem? problem) = StateDirectory.Open(path, Data, new NodeId(node));
        Assert.Null(directory);
        return problem!.Message;
    }
}

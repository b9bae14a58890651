using System.Reflection;
using System.Text.Json;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Engine.Failover;

namespace Repmgr.Tests.Failover.Agents;

public sealed class AgentJsonTests
{
    private static readonly TermHistory History = OneAgent.First.PromotedAt(OneAgent.At(0x1_0000_5678), new Term(4)).ContinuedAt(OneAgent.At(0x1_0000_9999), new Term(7));
    private static readonly Membership Members = new(new Term(3), 2, [new Voter(OneAgent.Id(1), true), new Voter(OneAgent.Id(2), false)])
    {
        Before = [new Voter(OneAgent.Id(1), true)],
        Times = new AgreedTimes(TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(60)),
    };

    private static readonly SyncMember Member = new(new NodeId(2), ulong.MaxValue);

    private static readonly RememberedSet Remembered =
        new(new Term(5), 3, SyncSet.Of([Member, SyncMember.Nobody(1)], 1), new SyncMember(new NodeId(1), 7)) { Mode = SyncMode.Strict, Wanted = 2 };

    private static readonly Pause Paused = new(new Term(5), 3, TimeSpan.FromMinutes(7)) { IsConfirmed = true };
    private static readonly StampedSet InForce = new(new SyncStamp(new Term(5), 4), SyncSet.Of([Member], 1));

    private static readonly DurableState Everything = new()
    {
        Term = new Term(9),
        VotedFor = new NodeId(2),
        LongestPromise = TimeSpan.FromSeconds(30.5),
        Closed = new Term(8),
        Held = new Term(7),
        Served = new Term(6),
        AttachFrom = new Term(5),
        Membership = Members,
        Announced = History,
        Data = OneAgent.First,
        Rebuilding = new Rebuilding(History, IsCopied: true) { IsUntouched = true },
        Set = Remembered,
        InForce = InForce,
        Pause = Paused,
        IsSole = true,
    };

    [Fact]
    public void What_an_agent_must_not_forget_comes_back_from_the_disk_as_it_was()
    {
        var file = new AgentFile(AgentFile.Current, new VoterId(new NodeId(3), ulong.MaxValue), [new KnownNode(new NodeId(1), "node1", "host=one", "one:8008")], Everything);
        AgentFile read = JsonSerializer.Deserialize(JsonSerializer.SerializeToUtf8Bytes(file, AgentJson.Default.AgentFile), AgentJson.Default.AgentFile)!;
        Assert.Equal(Everything, read.Durable);
        Assert.Equal(Members.Voters, read.Durable!.Membership.Voters);
        Assert.Equal((Members.Before!.Single(), Members.Times), (read.Durable.Membership.Before!.Single(), read.Durable.Membership.Times));
        Assert.Equal(file.Voter, read.Voter);
        Assert.Equal(file.Nodes, read.Nodes);
    }

    [Fact]
    public void Nothing_that_is_durable_is_left_out_of_this_test()
    {
        var blank = new DurableState { Term = default, Membership = Members, Announced = OneAgent.First };
        foreach (PropertyInfo property in typeof(DurableState).GetProperties().Where(property => property.CanWrite && property.Name != nameof(DurableState.Membership)))
            Assert.False(Equals(property.GetValue(blank), property.GetValue(Everything)), $"{property.Name} has its default: give it another value, so that its way to the disk is tested");
    }

    [Fact]
    public void Every_kind_of_message_arrives_as_it_was_sent()
    {
        var data = new DataPosition(new Term(4), OneAgent.At(77));
        Message[] messages =
        [
            new Message.Renew(new Term(9), new Round(ulong.MaxValue, 5), TimeSpan.FromSeconds(3), Members, History, OneAgent.At(99), "here", true) { Set = Remembered, IsSetConfirmed = true, InForce = InForce, Pause = Paused },
            new Message.Renewed(new Term(9), new Round(1, 5), new NodeId(1)) { Member = Member, IsLeaving = true },
            new Message.Superseded(new Term(9), null),
            new Message.Resign(new Term(9)),
            new Message.AskBallot(3, data),
            new Message.Ballot(3, new Term(9), Refusal.IsAhead, new Candidacy(new NodeId(2), data, History, true, false, 100, true, 12)) { Set = Remembered, Member = Member },
            new Message.AskVote(new Term(10), data),
            new Message.Vote(new Term(10), Refusal.Promised, new Term(9)) { Set = Remembered, Member = Member },
        ];
        // A kind that is added to the machine has to be given a way between agents.
        Assert.Equal(
            typeof(Message).GetNestedTypes().Where(type => type.IsSubclassOf(typeof(Message))).Select(type => type.Name).Order(),
            messages.Select(message => message.GetType().Name).Order());
        foreach (Message message in messages)
        {
            var sent = new Envelope(OneAgent.Id(1), new NodeId(2), message);
            byte[] wire = JsonSerializer.SerializeToUtf8Bytes(WireMessage.Of(sent), AgentJson.Default.WireMessage);
            Assert.Equal(sent, JsonSerializer.Deserialize(wire, AgentJson.Default.WireMessage)!.Envelope());
        }
    }

    [Fact]
    public void A_slot_says_who_it_leads_to()
    {
        string name = TermSlot.Name(new Term(12), new NodeId(3), new NodeId(40));
        Assert.Equal("repmgr_t12_h3_n40", name);
        Assert.Equal((new Term(12), new NodeId(3)), TermSlot.Read(name));
        Assert.Null(TermSlot.Read("repmgr_slot_2"));
        Assert.Null(TermSlot.Read(null));
    }
}

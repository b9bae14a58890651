using System.Reflection;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Tests.Failover.Simulation;

namespace Repmgr.Tests.Failover;

/// <summary>The real agents over a simulated world. <c>make simulate SEEDS=n</c> runs more seeds, and prints the last events of a finding.</summary>
public sealed class FailoverSimulationTests
{
    private const int Seeds = 400;
    private const int SeedsWithStore = 200;

    [Fact]
    public void The_invariants_hold_and_the_walked_edges_are_those_of_the_picture()
    {
        var edges = new HashSet<(string From, string Name, string To, string Rule)>();
        for (int seed = 1; seed <= Seeds + SeedsWithStore; seed++)
        {
            SimulationResult result = World.Run(seed, new SimulationProfile { Synchronous = null, HasStore = seed > Seeds });
            Assert.True(result.Violation is null, Tell(result));
            edges.UnionWith(result.Edges);
        }

        edges.UnionWith(Scenes.RareEdges());
        Golden.Matches("docs/failover.md", Documents.WithPicture(edges));
    }

    /// <summary>What such a machine still believes of its lease costs nothing where standbys have to acknowledge.</summary>
    [Fact]
    public void R9_a_machine_that_its_hypervisor_stops_acknowledges_nothing_that_is_lost_in_the_synchronous_modes_15() =>
        Holds(With(1.5, Fault.StopMachine, Fault.StopMachine, Fault.Isolate, Fault.HealNetwork, Fault.KillServer) with { Synchronous = SyncMode.Quorum });

    /// <summary>An acknowledgement may reach a client after the next primary has opened. What counts is that this one has the write (I1).</summary>
    [Fact]
    public void I1_in_the_synchronous_modes_what_is_acknowledged_late_is_on_the_next_primary_33() =>
        Holds(With(1, Fault.Isolate, Fault.OneWay, Fault.Split, Fault.HealNetwork, Fault.BadNetwork) with { Synchronous = SyncMode.Quorum, DataNodes = 3 });

    /// <summary>The rest of the cluster is connected, and able: what becomes of the primary meanwhile does not matter.</summary>
    [Theory]
    [InlineData(SyncMode.Off)]
    [InlineData(SyncMode.Quorum)]
    public void I11_while_the_primary_is_out_another_takes_writes_in_bounded_time(SyncMode mode) => Holds(Losing(mode));

    private static void Holds(SimulationProfile profile)
    {
        long promotions = 0;
        for (int seed = 1; seed <= 60; seed++)
        {
            SimulationResult result = World.Run(seed, profile);
            Assert.True(result.Violation is null, Tell(result));
            promotions += result.Promotions;
        }

        Assert.True(promotions > 60, $"only {promotions} promotions");
    }

    /// <summary>The simulation is worth something only if it notices a broken rule: an invariant of safety fails, not only liveness.</summary>
    [Theory]
    [MemberData(nameof(BrokenRules))]
    public void A_broken_rule_is_noticed(string rule)
    {
        BrokenRule broken = Enum.Parse<BrokenRule>(rule);
        SimulationProfile profile = Hunts[broken] with { Broken = Hunts[broken].Broken | broken };
        string[] shows = broken switch
        {
            BrokenRule.SilentWhileStarting => ["I4"],
            BrokenRule.DropsUnseenMembers => ["I11"],
            BrokenRule.VotesTwice => ["I2"],
            _ => profile.Synchronous != SyncMode.Off ? ["I1", "I3"] : ["I1", "I2", "I5", "I6"],
        };
        SimulationResult? found = Enumerable.Range(BeginAt.GetValueOrDefault(broken, 1), 6000)
            .Select(seed => World.Run(seed, profile))
            .FirstOrDefault(result => result.Violation is { } violation && shows.Contains(violation.Split(':')[0]));
        Assert.NotNull(found);
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {found.Seed}: {found.Violation}");
    }

    [Fact]
    public void Nothing_outside_the_tests_can_break_a_rule()
    {
        Assert.False(typeof(BrokenRule).IsVisible);
        PropertyInfo seam = typeof(AgentState).GetProperty(nameof(AgentState.Broken), BindingFlags.Instance | BindingFlags.NonPublic)!;
        Assert.True(seam.GetMethod!.IsAssembly && seam.SetMethod!.IsAssembly);
        Assert.Equal(Enum.GetValues<BrokenRule>().Where(rule => rule != BrokenRule.None), Hunts.Keys.Order());
        Assert.Equal(
            ["Repmgr.Simulate", "Repmgr.Tests"],
            typeof(AgentState).Assembly.GetCustomAttributes<System.Runtime.CompilerServices.InternalsVisibleToAttribute>().Select(friend => friend.AssemblyName).Order());
    }

    public static TheoryData<string> BrokenRules => [.. Hunts.Keys.Select(rule => rule.ToString())];

    /// <summary>Where each broken rule shows soonest.</summary>
    private static Dictionary<BrokenRule, SimulationProfile> Hunts { get; } = new()
    {
        [BrokenRule.AnswersBeforeRemembering] = With(0.5, Fault.SlowDisk, Fault.KillAgent, Fault.Isolate, Fault.KillServer),
        [BrokenRule.NoQuietPeriod] = new SimulationProfile(),
        [BrokenRule.NoMargin] = With(2, Fault.Isolate, Fault.HealNetwork) with { HasExtremeClocks = true, DataNodes = 3, Witnesses = 0, Policy = Eager },
        [BrokenRule.PromiseAssigned] = With(2, Fault.StopAgent, Fault.Isolate, Fault.HealNetwork),
        [BrokenRule.LeaseFromAcknowledgement] = With(1.5, Fault.BadNetwork, Fault.Isolate) with { DataNodes = 2, Witnesses = 1, Policy = Eager },
        [BrokenRule.PromotesOnVotes] = With(0.7, Fault.BadNetwork, Fault.OneWay, Fault.KillServer, Fault.Isolate) with { DataNodes = 3 },
        [BrokenRule.NoCut] = With(2.5, Fault.KillServer, Fault.Isolate, Fault.HealNetwork) with { Policy = Eager },
        [BrokenRule.VotesInSpiteOfPromise] = With(1, Fault.Split, Fault.OneWay, Fault.HealNetwork, Fault.FreezeAgent),
        // A vote is a promise, too: one vote in a term matters only where promises are broken as well.
        [BrokenRule.VotesTwice] = With(2.5, Fault.KillServer, Fault.FreezeAgent, Fault.BadNetwork) with
        {
            DataNodes = 4,
            Witnesses = 1,
            Broken = BrokenRule.VotesInSpiteOfPromise,
        },
        [BrokenRule.VotesForWhoIsBehind] = new SimulationProfile(),
        [BrokenRule.HoldsResignedTerm] = new SimulationProfile(),
        [BrokenRule.ResignsBeforeFence] = new SimulationProfile(),
        [BrokenRule.ReversesSetChange] = Quorum,
        [BrokenRule.NoBarrier] = Quorum with { FaultEvery = TimeSpan.FromSeconds(0.7), DataNodes = 3, Witnesses = 2, SynchronousCount = 1 },
        [BrokenRule.CountsAnyMajority] = Quorum,
        [BrokenRule.CountsByOwnSet] = Quorum,
        [BrokenRule.SetNotInherited] = With(0.8, Fault.KillServer, Fault.PowerLoss, Fault.BadNetwork) with
        {
            DataNodes = 3,
            Witnesses = 2,
            Synchronous = SyncMode.Quorum,
            SynchronousCount = 1,
        },
        [BrokenRule.KeepsOldHolder] = Quorum,
        [BrokenRule.FirstSetTooSmall] = Quorum,
        [BrokenRule.ChangesUnconfirmed] = Quorum,
        [BrokenRule.CountsByOwnMembership] = With(1.5, Fault.Split, Fault.Isolate, Fault.Isolate, Fault.Register, Fault.Register) with { DataNodes = 3, Witnesses = 0, Spares = 2 },
        [BrokenRule.ChangesVotersUnconfirmed] = Moving,
        // Each of the two holds without the other (docs/model/README.md).
        [BrokenRule.TwoVotersAtOnce] = Moving with { Broken = BrokenRule.NewVotersAlone },
        [BrokenRule.NewVotersAlone] = Moving with { Broken = BrokenRule.TwoVotersAtOnce },
        [BrokenRule.StrangersCount] = Moving,
        [BrokenRule.AloneOutsideSet] = With(1.5, Fault.Isolate, Fault.HealNetwork, Fault.PowerLoss, Fault.KillServer) with { DataNodes = 2, Witnesses = 0, Spares = 0, Synchronous = SyncMode.Strict },
        [BrokenRule.StoredPromiseUnwatched] = Stored(1.5, Fault.Isolate, Fault.HealNetwork, Fault.KillAgent),
        [BrokenRule.StoreNotCompared] = Stored(1, Fault.Isolate, Fault.KillServer, Fault.SlowStore, Fault.HealNetwork),
        [BrokenRule.SilentWhileStarting] = With(1.5, Fault.RestartByHand, Fault.RestartByHand, Fault.BadNetwork, Fault.HealNetwork),
        [BrokenRule.DropsUnseenMembers] = Losing(SyncMode.Quorum),
        [BrokenRule.AnswersBeforeStored] = Stored(1, Fault.Isolate, Fault.StoreOutage, Fault.SlowStore, Fault.HealNetwork),
    };

    /// <summary>Seeds shortly before the one that showed a rare thing when it was last looked for: where the search begins, so that it does not take minutes.</summary>
    private static Dictionary<BrokenRule, int> BeginAt { get; } = new()
    {
        [BrokenRule.AnswersBeforeRemembering] = 360,
        [BrokenRule.NoMargin] = 3950,
        [BrokenRule.PromiseAssigned] = 300,
        [BrokenRule.PromotesOnVotes] = 290,
        [BrokenRule.NoCut] = 200,
        [BrokenRule.VotesTwice] = 470,
        [BrokenRule.NoBarrier] = 830,
        [BrokenRule.CountsAnyMajority] = 280,
        [BrokenRule.CountsByOwnSet] = 200,
        [BrokenRule.SetNotInherited] = 910,
        [BrokenRule.KeepsOldHolder] = 490,
        [BrokenRule.FirstSetTooSmall] = 3380,
        [BrokenRule.ChangesUnconfirmed] = 240,
        [BrokenRule.CountsByOwnMembership] = 2100,
        [BrokenRule.ChangesVotersUnconfirmed] = 1190,
        [BrokenRule.TwoVotersAtOnce] = 1790,
        [BrokenRule.NewVotersAlone] = 1790,
        [BrokenRule.StrangersCount] = 350,
        [BrokenRule.StoreNotCompared] = 90,
    };

    /// <summary>Candidates that lose no time show what an overlap of a few moments does.</summary>
    private static AgentPolicy Eager => new() { AnswerWithin = TimeSpan.FromSeconds(0.06) };

    private static SimulationProfile Quorum => new() { Synchronous = SyncMode.Quorum, FaultEvery = TimeSpan.FromSeconds(1) };

    /// <summary>Nodes come and go while others cannot be reached.</summary>
    private static SimulationProfile Moving => With(0.6, Fault.Split, Fault.Isolate, Fault.HealNetwork, Fault.Register, Fault.Unregister, Fault.KillServer, Fault.PowerLoss) with { DataNodes = 4, Spares = 2 };

    /// <summary>The arithmetic of docs/failover.md while a fault lasts: nobody waits for it to end.</summary>
    private static SimulationProfile Losing(SyncMode mode) =>
        new() { LosesPrimary = true, DataNodes = 3, Witnesses = 0, Spares = 0, Synchronous = mode, SynchronousCount = 1 };

    private static SimulationProfile Stored(double every, params Fault[] faults) => With(every, faults) with { HasStore = true, DataNodes = 3 };

    private static SimulationProfile With(double every, params Fault[] faults) =>
        new() { Faults = faults, FaultEvery = TimeSpan.FromSeconds(every), Spares = 0 };

    private static string Tell(SimulationResult result) =>
        $"seed {result.Seed}, turn {result.Turns}: {result.Violation}\n{result.LastEvents}";
}

using System.Diagnostics;
using System.Globalization;
using Repmgr.Core.Failover;
using Repmgr.Tests.Failover.Simulation;

namespace Repmgr.Simulate;

/// <summary>Runs the simulation of failover over more seeds than the fast tests do, one after the other, and says how fast it was.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        if (args is not [var firstText, var countText, .. var rest] || !int.TryParse(firstText, out int first) || !int.TryParse(countText, out int count))
        {
            Console.Error.WriteLine("usage: Repmgr.Simulate FIRST-SEED SEEDS [broken=RULE] [faults=FAULT,...] [data=NODES] [witnesses=NODES] [spares=NODES] [every=SECONDS] [answers=SECONDS] [clocks=extreme] [sync=any|MODE] [count=NODES] [heal=SECONDS] [disks=slow] [store=etcd]");
            return 2;
        }

        SimulationProfile profile = rest.Aggregate(new SimulationProfile(), Set);
        long turns = 0, promotions = 0;
        int findings = 0;
        var watch = Stopwatch.StartNew();
        for (int seed = first; seed < first + count; seed++)
        {
            SimulationResult result = World.Run(seed, profile);
            turns += result.Turns;
            promotions += result.Promotions;
            // A broken rule has to be noticed by what is lost, not by what does not come to an end.
            if (result.Violation is null || (profile.Broken != BrokenRule.None && result.Violation.StartsWith("I7", StringComparison.Ordinal)))
                continue;
            findings++;
            Console.WriteLine($"seed {seed}, turn {result.Turns}: {result.Violation}\n{result.LastEvents}");
            if (findings == 3)
                break;
        }

        double seconds = watch.Elapsed.TotalSeconds;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{count} seeds, {turns} turns, {promotions} promotions, {findings} findings; {seconds:0.0} s, {turns / seconds:0} turns/s"));
        return findings == 0 ? 0 : 1;
    }

    private static SimulationProfile Set(SimulationProfile profile, string option) => option.Split('=', 2) switch
    {
        ["broken", var rule] => profile with { Broken = Enum.Parse<BrokenRule>(rule) },
        ["faults", var faults] => profile with { Faults = [.. faults.Split(',').Select(Enum.Parse<Fault>)] },
        ["data", var nodes] => profile with { DataNodes = int.Parse(nodes, CultureInfo.InvariantCulture) },
        ["witnesses", var nodes] => profile with { Witnesses = int.Parse(nodes, CultureInfo.InvariantCulture) },
        ["spares", var nodes] => profile with { Spares = int.Parse(nodes, CultureInfo.InvariantCulture) },
        ["every", var seconds] => profile with { FaultEvery = TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture)) },
        ["answers", var seconds] => profile with { Policy = profile.Policy with { AnswerWithin = TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture)) } },
        ["sync", var mode] => profile with { Synchronous = mode == "any" ? null : Enum.Parse<Repmgr.Core.Failover.Synchronous.SyncMode>(mode) },
        ["count", var nodes] => profile with { SynchronousCount = int.Parse(nodes, CultureInfo.InvariantCulture) },
        ["heal", var seconds] => profile with { HealsWithin = TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture)) },
        ["clocks", "extreme"] => profile with { HasExtremeClocks = true },
        ["store", "etcd"] => profile with { HasStore = true },
        ["disks", "slow"] => profile with { HasSlowDisks = true },
        _ => throw new ArgumentException($"unknown option {option}", nameof(option)),
    };
}

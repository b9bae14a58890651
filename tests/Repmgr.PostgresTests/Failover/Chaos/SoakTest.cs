using System.Globalization;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover.Chaos;

/// <summary>
/// What <c>make soak</c> runs: faults by chance, of which all comes from one seed, on one cluster, for as long as is wanted; the same is asserted after each as in the named
/// scenarios. Each is printed as it ends, and a summary at the end.
/// </summary>
public sealed class SoakTest
{
    [Fact(Explicit = true)]
    public async Task Faults_by_chance()
    {
        int seed = Number("REPMGR_SOAK_SEED", Random.Shared.Next(1, 1_000_000));
        var limit = TimeSpan.FromMinutes(Number("REPMGR_SOAK_MINUTES", 60));
        var world = new ChaosWorld
        {
            Synchronous = Word("REPMGR_SOAK_SYNCHRONOUS") ?? "off",
            Hosts = Number("REPMGR_SOAK_HOSTS", 3),
            Major = Number("REPMGR_SOAK_MAJOR", PostgresMajor.Default),
            HasStore = Word("REPMGR_SOAK_STORE") == "etcd",
        };
        Say($"soak: {world}, {limit.TotalMinutes:0} minutes, SEED={seed}");
        await using Lab lab = await Lab.OpenAsync();
        await using ChaosCluster chaos = await ChaosCluster.StartAsync(lab, world);
        List<Outcome> outcomes = [];
        try
        {
            await GoOnAsync(chaos, new Random(seed), limit, world.IsSynchronous, outcomes);
            await chaos.EndAsync();
        }
        catch (Exception e)
        {
            Say(lab.Report());
            Say($"soak: FAILED after {outcomes.Count} faults, SEED={seed}: {e.Message}");
            throw;
        }
        finally
        {
            Summarize(chaos, outcomes, seed);
        }
    }

    private static async Task GoOnAsync(ChaosCluster chaos, Random chance, TimeSpan limit, bool isSynchronous, List<Outcome> outcomes)
    {
        Fault[] faults = [.. Faults.All.Where(fault => isSynchronous || !fault.OnlySynchronous)];
        TimeSpan from = WritingClients.Now;
        while (WritingClients.Now - from < limit)
        {
            // In this order, whatever becomes of it: the seed says it all.
            Fault fault = faults[chance.Next(faults.Length)];
            int? victim = chance.Next(4) > 0 ? null : chaos.Cluster.Nodes[chance.Next(chaos.Cluster.Nodes.Count)].NodeId;
            var held = TimeSpan.FromMilliseconds(chance.Next(3) > 0 ? 0 : chance.Next(6000));
            bool atOnce = chance.Next(4) == 0;
            outcomes.Add(await chaos.StrikeAsync(fault, victim, held, atOnce));
            Say(string.Create(CultureInfo.InvariantCulture, $"{(WritingClients.Now - from).TotalSeconds,6:0} s  {outcomes[^1]}"));
        }
    }

    private static void Summarize(ChaosCluster chaos, List<Outcome> outcomes, int seed)
    {
        IReadOnlyList<Acknowledged> rows = chaos.Clients.Rows;
        int primaries = rows.Select(row => (row.Node, row.Timeline)).Distinct().Count();
        double gap = outcomes.Select(outcome => outcome.Gap.TotalSeconds).DefaultIfEmpty().Max();
        Say(string.Create(CultureInfo.InvariantCulture,
            $"\nsoak: {outcomes.Count} faults, {primaries - 1} failovers, {rows.Count} rows acknowledged, {outcomes.Sum(outcome => outcome.Lost)} lost, {gap:0.0} s without writes at most, SEED={seed}\n"));
        Say("times  failovers  longest without writes  lost  fault");
        foreach (IGrouping<string, Outcome> kind in outcomes.GroupBy(outcome => outcome.Fault).OrderBy(kind => kind.Key, StringComparer.Ordinal))
        {
            Say(string.Create(CultureInfo.InvariantCulture,
                $"{kind.Count(),5}  {kind.Count(outcome => outcome.Primary != outcome.Before),9}  {kind.Max(outcome => outcome.Gap.TotalSeconds),20:0.0} s  {kind.Sum(outcome => outcome.Lost),4}  {kind.Key}"));
        }
    }

    private static void Say(string text) => Console.WriteLine(text);

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Word(variable), CultureInfo.InvariantCulture, out int number) ? number : otherwise;

    private static string? Word(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } word ? word : null;
}

namespace Repmgr.Fuzz;

/// <summary>A parser under test, and the inputs that were found to lead somewhere new in it.</summary>
internal sealed class FuzzTarget(string name, Action<string> run, string seeds)
{
    /// <summary>For each branch counter, the magnitudes it was seen to have.</summary>
    private readonly byte[] _seen = new byte[BranchCounters.Size];

    public string Name => name;

    public List<byte[]> Corpus { get; } = [.. Directory.GetFiles(seeds).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];

    public long Executions { get; set; }

    /// <summary>What went wrong, each kind once.</summary>
    public HashSet<string> Findings { get; } = [];

    public void Run(string text) => run(text);

    /// <summary>Whether the last run took a branch never taken, or one by an order of magnitude more often.</summary>
    public bool IsNew(BranchCounters counters) => counters.AddTo(_seen);
}

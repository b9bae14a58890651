using System.Diagnostics;
using System.Globalization;
using System.IO.MemoryMappedFiles;
using System.Text;

namespace Repmgr.Fuzz;

/// <summary>
/// Coverage-guided fuzzing in one process: change an input that led somewhere new, run it, keep it if it leads somewhere new
/// again. What fails is written to a file; so is the input of the moment, in case it ends the process.
/// </summary>
internal sealed class FuzzLoop(FuzzTarget[] targets, string findings)
{
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(1);

    private readonly BranchCounters _counters = new();
    private readonly Mutator _mutator = new(new Random(Environment.TickCount));

    /// <summary>Runs for that long; true when nothing was found.</summary>
    public bool Run(TimeSpan span)
    {
        Directory.CreateDirectory(findings);
        using MemoryMappedFile current = MemoryMappedFile.CreateFromFile(Path.Combine(findings, "current"), FileMode.Create, null, Mutator.MaxLength + 4);
        using MemoryMappedViewAccessor view = current.CreateViewAccessor();
        foreach (FuzzTarget target in targets)
        {
            foreach (byte[] seed in target.Corpus)
            {
                Execute(target, seed, view);
                _ = target.IsNew(_counters);
            }
        }

        Stopwatch watch = Stopwatch.StartNew();
        TimeSpan reported = TimeSpan.Zero;
        while (watch.Elapsed < span)
        {
            foreach (FuzzTarget target in targets)
                Round(target, view);
            if (watch.Elapsed - reported > TimeSpan.FromSeconds(30))
            {
                reported = watch.Elapsed;
                Report(reported);
            }
        }

        Report(watch.Elapsed);
        return targets.All(target => target.Findings.Count == 0);
    }

    private void Round(FuzzTarget target, MemoryMappedViewAccessor view)
    {
        for (int i = 0; i < 200; i++)
        {
            byte[] input = _mutator.Change(target.Corpus);
            Execute(target, input, view);
            if (target.IsNew(_counters))
                target.Corpus.Add(input);
        }
    }

    private void Execute(FuzzTarget target, byte[] input, MemoryMappedViewAccessor view)
    {
        view.Write(0, input.Length);
        view.WriteArray(4, input, 0, input.Length);
        string text = Encoding.UTF8.GetString(input);
        _counters.Clear();
        long begin = Stopwatch.GetTimestamp();
        try
        {
            target.Run(text);
        }
        catch (Exception e)
        {
            Keep(target, input, $"{e.GetType().Name}: {e.Message} {e.StackTrace?.Split('\n').FirstOrDefault(line => line.Contains("Repmgr.Core", StringComparison.Ordinal))?.Trim()}");
        }

        target.Executions++;
        if (Stopwatch.GetElapsedTime(begin) > Hang)
            Keep(target, input, string.Create(CultureInfo.InvariantCulture, $"took {Stopwatch.GetElapsedTime(begin).TotalSeconds:0.0} s"));
    }

    private void Keep(FuzzTarget target, byte[] input, string what)
    {
        if (!target.Findings.Add(what))
            return;

        string file = Path.Combine(findings, string.Create(CultureInfo.InvariantCulture, $"{target.Name}-{target.Findings.Count}"));
        File.WriteAllBytes(file, input);
        Console.WriteLine($"FOUND {file}: {what}");
    }

    private void Report(TimeSpan elapsed)
    {
        foreach (FuzzTarget target in targets)
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{elapsed.TotalMinutes:0.0} min, {target.Name}: {target.Executions} executions, {target.Corpus.Count} inputs kept, {target.Findings.Count} findings"));
        }
    }
}

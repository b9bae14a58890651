using System.Globalization;
using System.Text;

namespace Repmgr.Fuzz;

/// <summary>
/// Feeds made-up input to the parsers. Run by tools/fuzz, which has SharpFuzz write branch counters into the assembly under
/// test; with files named on the command line it reads those, to look again at what was found.
/// </summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        switch (args)
        {
            case ["run", var minutes, var seeds, var findings]:
                TimeSpan span = TimeSpan.FromMinutes(double.Parse(minutes, CultureInfo.InvariantCulture));
                return new FuzzLoop(
                    [
                        new FuzzTarget("conf", ConfTarget.Run, Path.Combine(seeds, "conf")),
                        new FuzzTarget("conninfo", ConninfoTarget.Run, Path.Combine(seeds, "conninfo")),
                    ],
                    findings).Run(span) ? 0 : 1;
            case ["conf", .. var files]:
                return Replay(ConfTarget.Run, files);
            case ["conninfo", .. var files]:
                return Replay(ConninfoTarget.Run, files);
            default:
                Console.Error.WriteLine("usage: Repmgr.Fuzz run MINUTES SEEDS FINDINGS | conf FILE... | conninfo FILE...");
                return 1;
        }
    }

    private static int Replay(Action<string> target, string[] files)
    {
        foreach (string file in files)
            target(Encoding.UTF8.GetString(File.ReadAllBytes(file)));
        return 0;
    }
}

/// <summary>What the parsers promise does not hold.</summary>
internal sealed class BrokenPromiseException(string promise) : Exception(promise)
{
    public static void Unless(bool kept, string promise)
    {
        if (!kept)
            throw new BrokenPromiseException(promise);
    }
}

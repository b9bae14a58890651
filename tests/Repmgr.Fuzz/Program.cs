using System.Text;
using SharpFuzz;

namespace Repmgr.Fuzz;

/// <summary>
/// Feeds what afl++ makes up to the parsers. Run by tools/fuzz, which instruments the assembly under test; without afl++ it
/// reads files named on the command line, to look again at what was found.
/// </summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        Action<string>? target = args switch
        {
            ["conf", ..] => ConfTarget.Run,
            ["conninfo", ..] => ConninfoTarget.Run,
            _ => null,
        };
        if (target is null)
        {
            Console.Error.WriteLine("usage: Repmgr.Fuzz conf|conninfo [FILE...]");
            return 1;
        }

        if (args.Length == 1)
            Fuzzer.OutOfProcess.Run(text => target(text));
        foreach (string file in args.Skip(1))
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

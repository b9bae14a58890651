using System.Text;
using Repmgr.Core.Problems;
using Repmgr.Engine;

namespace Repmgr.Cli;

internal static class Program
{
    private static int Main(string[] arguments)
    {
        // Scripts ask for the version often: nothing else is built for it.
        if (arguments is ["--version" or "-V"])
        {
            using Stream output = Console.OpenStandardOutput();
            output.Write(Encoding.UTF8.GetBytes($"repmgr {ProductVersion.Text}\n"));
            return 0;
        }

        try
        {
            return (int)new CommandLineProgram(Console.Out, Console.Error, Environment.IsPrivilegedProcess).RunAsync(arguments).GetAwaiter().GetResult();
        }
        catch (Exception defect)
        {
            Console.Error.WriteLine($"ERROR: repmgr has a defect: {defect.Message}");
            Console.Error.WriteLine($"DETAIL: {defect}");
            Console.Error.WriteLine("HINT: Please report it with these lines. What had been done is done; running the command again goes on from there.");
            return (int)ExitCode.Internal;
        }
    }
}

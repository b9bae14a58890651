using System.Text;
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

        return (int)new CommandLineProgram(Console.Out, Console.Error, Environment.IsPrivilegedProcess).RunAsync(arguments).GetAwaiter().GetResult();
    }
}

using Repmgr.Cli.Commands;
using Repmgr.Cli.Output;
using Repmgr.Core.CommandLine;
using Repmgr.Core.Problems;
using Repmgr.Engine;
using Repmgr.Engine.Logging;

namespace Repmgr.Cli;

internal static class Program
{
    private static int Main(string[] arguments)
    {
        // Monitoring asks for the version often; nothing else needs to be built for it.
        if (arguments is ["--version" or "-V"])
            return Print($"repmgr {ProductVersion.Text}\n");

        return (int)RunAsync(arguments).GetAwaiter().GetResult();
    }

    private static async Task<ExitCode> RunAsync(string[] arguments)
    {
        CommandTable table = CommandTable.Repmgr;
        switch (CommandLineParser.Parse(arguments, table))
        {
            case Invocation.Help help:
                return (ExitCode)Print(HelpText.For(table, help));
            case Invocation.Version:
                return (ExitCode)Print($"repmgr {ProductVersion.Text}\n");
            case Invocation.VersionNumber:
                return (ExitCode)Print($"{ProductVersion.Number}\n");
            case Invocation.Run run:
                return await CommandRun.RunAsync(run.Command, run.Options, arguments).ConfigureAwait(false);
            case Invocation.Wrong wrong:
                var log = new TerminalLog(Console.Error, wrong.Options);
                foreach (Problem problem in wrong.Problems)
                    log.Write(Severity.Error, problem);
                return ExitCode.BadConfig;
            default:
                throw new InvalidOperationException("an invocation of no known kind");
        }
    }

    private static int Print(string text)
    {
        using Stream output = Console.OpenStandardOutput();
        output.Write(System.Text.Encoding.UTF8.GetBytes(text));
        return 0;
    }
}

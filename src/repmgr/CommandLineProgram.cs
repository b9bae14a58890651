using Repmgr.Cli.Commands;
using Repmgr.Cli.Output;
using Repmgr.Core.CommandLine;
using Repmgr.Core.Problems;
using Repmgr.Engine;
using Repmgr.Engine.Logging;

namespace Repmgr.Cli;

/// <summary>The program, from its arguments to its exit code.</summary>
/// <param name="output">Standard output: results.</param>
/// <param name="error">Standard error: messages.</param>
/// <param name="isRoot">Whether the superuser of the operating system runs it.</param>
internal sealed class CommandLineProgram(TextWriter output, TextWriter error, bool isRoot)
{
    public async Task<ExitCode> RunAsync(IReadOnlyList<string> arguments)
    {
        CommandTable table = CommandTable.Repmgr;
        switch (CommandLineParser.Parse(arguments, table))
        {
            case Invocation.Help help:
                return Print(HelpText.For(table, help));
            case Invocation.Version:
                return Print($"repmgr {ProductVersion.Text}\n");
            case Invocation.VersionNumber:
                return Print($"{ProductVersion.Number}\n");
            case Invocation.Run run:
                return await RunAsync(run).ConfigureAwait(false);
            case Invocation.Wrong wrong:
                return Complain(wrong);
            default:
                throw new InvalidOperationException("an invocation of no known kind");
        }
    }

    private async Task<ExitCode> RunAsync(Invocation.Run run)
    {
        var journal = new CommandJournal();
        using var log = new TerminalLog(error, run.Options, journal);
        var result = new ResultOutput(output, run.Options, journal);
        ExitCode exitCode = await new CommandRun(run.Command, run.Options, log, result, journal).RunAsync(isRoot).ConfigureAwait(false);
        result.Close(run.Command.Words, exitCode);
        return exitCode;
    }

    private ExitCode Complain(Invocation.Wrong wrong)
    {
        var journal = new CommandJournal();
        using var log = new TerminalLog(error, wrong.Options, journal);
        foreach (Problem problem in wrong.Problems)
            log.Write(Severity.Error, problem);
        new ResultOutput(output, wrong.Options, journal).Close(command: null, ExitCode.BadConfig);
        return ExitCode.BadConfig;
    }

    private ExitCode Print(string text)
    {
        output.Write(text);
        output.Flush();
        return ExitCode.Success;
    }
}

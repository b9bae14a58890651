using Repmgr.Core.Problems;

namespace Repmgr.Cli.Commands;

/// <summary>A command. It says what went wrong through the context and answers with the exit code.</summary>
internal interface ICommand
{
    Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancel);
}

using Repmgr.Core.Cluster;

namespace Repmgr.Engine.Processes;

/// <summary>Runs the operator's own commands.</summary>
public static class HookProgram
{
    /// <summary>Runs a command to its end, or ends it with its children at the deadline.</summary>
    public static async Task<ProgramResult> RunAsync(HookCommand command, TimeSpan within, CancellationToken cancel)
    {
        // A file, not a pipe: what the command leaves running in the background would hold a pipe open and so be waited for, and killed.
        string outputFile = Path.GetTempFileName();
        try
        {
            ProgramResult result = await ExternalProgram.RunShellAsync(
                command.Script,
                outputFile,
                command.Environment.ToDictionary(variable => variable.Key, string? (variable) => variable.Value),
                within,
                cancel);
            string output = await File.ReadAllTextAsync(outputFile, cancel);
            return result switch
            {
                ProgramResult.Ended ended => ended with { Output = output },
                ProgramResult.TimedOut late => late with { Output = output },
                _ => result,
            };
        }
        finally
        {
            File.Delete(outputFile);
        }
    }
}

using System.Text;
using CliWrap;
using CliWrap.Exceptions;

namespace Repmgr.Engine.Processes;

/// <summary>How the run of another program ended.</summary>
public abstract record ProgramResult
{
    private ProgramResult() { }

    /// <summary>It ran to its end.</summary>
    public sealed record Ended(int ExitCode, string Output, string Error) : ProgramResult;

    /// <summary>It was ended by us, with all its children.</summary>
    public sealed record TimedOut(TimeSpan Within, string Output, string Error) : ProgramResult;

    /// <summary>It could not be started at all.</summary>
    public sealed record NotStarted(string Reason) : ProgramResult;

    /// <summary>It ended with exit code 0.</summary>
    public bool Succeeded => this is Ended { ExitCode: 0 };

    /// <summary>One sentence on what went wrong, with the last lines the program wrote; for a problem's detail.</summary>
    public string Explain(string program) => this switch
    {
        Ended ended => $"\"{program}\" ended with exit code {ended.ExitCode}{LastLines(ended.Error, ended.Output)}",
        TimedOut late => $"\"{program}\" did not end within {late.Within.TotalSeconds:0.#} s{LastLines(late.Error, late.Output)}",
        NotStarted not => $"\"{program}\" could not be started: {not.Reason}",
        _ => "",
    };

    private static string LastLines(string error, string output)
    {
        string said = error.Trim().Length > 0 ? error.Trim() : output.Trim();
        if (said.Length == 0)
            return " and wrote nothing.";
        string[] lines = said.Split('\n');
        return ":\n" + string.Join('\n', lines[^Math.Min(lines.Length, 10)..]);
    }
}

/// <summary>Runs other programs: argument lists, never shell strings, except for commands that the operator configured.</summary>
public static class ExternalProgram
{
    /// <summary>Runs a program to its end and keeps what it writes.</summary>
    /// <param name="program">A path, or a name to be looked for in <c>PATH</c>.</param>
    /// <param name="arguments">Passed as they are.</param>
    /// <param name="environment">Added to our own; null removes a variable.</param>
    /// <param name="within">After that it is killed with its children.</param>
    /// <param name="cancel">Kills it with its children too, and throws.</param>
    /// <param name="input">What it reads from its standard input; null: nothing.</param>
    public static async Task<ProgramResult> RunAsync(
        string program,
        IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string?>? environment,
        TimeSpan within,
        CancellationToken cancel,
        string? input = null)
    {
        var output = new StringBuilder();
        var error = new StringBuilder();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(within);
        Command command = Cli.Wrap(program)
            .WithArguments(arguments)
            .WithEnvironmentVariables(ProgramEnvironment.With(environment))
            .WithValidation(CommandResultValidation.None)
            .WithStandardInputPipe(input is null ? PipeSource.Null : PipeSource.FromString(input, new UTF8Encoding(false)))
            .WithStandardOutputPipe(PipeTarget.ToStringBuilder(output, Encoding.UTF8))
            .WithStandardErrorPipe(PipeTarget.ToStringBuilder(error, Encoding.UTF8));
        try
        {
            CommandResult result = await command.ExecuteAsync(deadline.Token).ConfigureAwait(false);
            return new ProgramResult.Ended(result.ExitCode, output.ToString(), error.ToString());
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new ProgramResult.TimedOut(within, output.ToString(), error.ToString());
        }
        catch (Exception e) when (e is CliWrapException or System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            return new ProgramResult.NotStarted(e.InnerException?.Message ?? e.Message);
        }
    }

    /// <summary>
    /// Runs a command that the operator configured, through <c>/bin/sh</c> as repmgr always did. Values must not be pasted
    /// into the command: they are handed over as environment variables, or quoted by the caller.
    /// </summary>
    /// <param name="command">As it stands in the configuration.</param>
    /// <param name="outputFile">
    /// Where what it writes goes, appended; null keeps it in memory. A command that starts a server needs a file: the server
    /// inherits the descriptors, and a pipe of ours would never end.
    /// </param>
    /// <param name="environment">Added to our own.</param>
    /// <param name="within">After that it is killed with its children.</param>
    /// <param name="cancel">Kills it with its children too, and throws.</param>
    public static Task<ProgramResult> RunShellAsync(
        string command,
        string? outputFile,
        IReadOnlyDictionary<string, string?>? environment,
        TimeSpan within,
        CancellationToken cancel) =>
        RunAsync(
            "/bin/sh",
            outputFile is null
                ? ["-c", command]
                : ["-c", "exec >>\"$1\" 2>&1 </dev/null; eval \"$2\"", "sh", outputFile, command],
            environment,
            within,
            cancel);
}

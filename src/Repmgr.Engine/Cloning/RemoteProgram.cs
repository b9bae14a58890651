using System.Text;
using System.Text.RegularExpressions;
using CliWrap;
using CliWrap.Exceptions;
using Repmgr.Core.Cloning;
using Repmgr.Core.Problems;
using Repmgr.Engine.Processes;

namespace Repmgr.Engine.Cloning;

/// <summary>Runs a copying program to its end, however long that takes, and hears what it writes meanwhile.</summary>
internal static partial class CopyProgram
{
    /// <param name="program">A path, or a name to be looked for in <c>PATH</c>.</param>
    /// <param name="arguments">Passed as they are.</param>
    /// <param name="environment">Added to our own.</param>
    /// <param name="input">What it reads; null: nothing.</param>
    /// <param name="said">Hears each piece of output, ended by a line feed or a carriage return.</param>
    /// <param name="cancel">Kills it, and throws.</param>
    public static async Task<ProgramResult> RunAsync(
        string program,
        IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string?> environment,
        byte[]? input,
        Action<string>? said,
        CancellationToken cancel)
    {
        var output = new StringBuilder();
        var error = new Tail();
        Command command = Cli.Wrap(program)
            .WithArguments(arguments)
            .WithEnvironmentVariables(ProgramEnvironment.With(environment))
            .WithValidation(CommandResultValidation.None)
            .WithStandardInputPipe(input is null ? PipeSource.Null : PipeSource.FromBytes(input))
            .WithStandardOutputPipe(said is null
                ? PipeTarget.ToStringBuilder(output, Encoding.UTF8)
                : Pieces(said))
            .WithStandardErrorPipe(Pieces(piece =>
            {
                said?.Invoke(piece);
                error.Add(piece);
            }));
        try
        {
            CommandResult result = await command.ExecuteAsync(cancel).ConfigureAwait(false);
            return new ProgramResult.Ended(result.ExitCode, output.ToString(), error.ToString());
        }
        catch (Exception e) when (e is CliWrapException or System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            return new ProgramResult.NotStarted(e.InnerException?.Message ?? e.Message);
        }
    }

    /// <summary>
    /// Whether it ended because the disk here is full. What a server says of its own disk begins with ERROR. pg_combinebackup may say
    /// only that less was written than it wanted: copy_file() in src/bin/pg_combinebackup/copy_file.c.
    /// </summary>
    public static bool FoundDiskFull(ProgramResult result) => result is ProgramResult.Ended ended
        && ended.Error.Split('\n').Any(line => !line.Contains("ERROR:", StringComparison.Ordinal) && DiskFullText().IsMatch(line));

    [GeneratedRegex("No space left on device|Disk quota exceeded|could not write .*: wrote [0-9]+ of [0-9]+$")]
    private static partial Regex DiskFullText();

    private static PipeTarget Pieces(Action<string> said) => PipeTarget.Create(async (stream, cancel) =>
    {
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var piece = new StringBuilder();
        var buffer = new char[4096];
        for (int read; (read = await reader.ReadAsync(buffer.AsMemory(), cancel).ConfigureAwait(false)) > 0;)
        {
            foreach (char c in buffer.AsSpan(0, read))
            {
                if (c is not ('\r' or '\n'))
                    piece.Append(c);
                else if (piece.Length > 0)
                    Flush();
            }
        }

        if (piece.Length > 0)
            Flush();

        void Flush()
        {
            said(piece.ToString());
            piece.Clear();
        }
    });

    /// <summary>The last lines of what may be a long story.</summary>
    private sealed class Tail
    {
        private const int Most = 40;
        private readonly Queue<string> _lines = new();

        public void Add(string line)
        {
            _lines.Enqueue(line);
            if (_lines.Count > Most)
                _lines.Dequeue();
        }

        public override string ToString() => string.Join('\n', _lines);
    }
}

/// <summary>Command lines for ssh and for rsync over ssh.</summary>
internal static class RemoteProgram
{
    /// <summary>ssh without ever asking a question, up to the host.</summary>
    public static IReadOnlyList<string> Ssh(RemoteShell shell) =>
        ["-o", "BatchMode=yes", .. shell.Options, .. shell.User is { } user ? ["-l", user] : Array.Empty<string>(), shell.Host];

    /// <summary>What rsync needs to go through ssh; <c>--secluded-args</c> keeps the remote shell from reading file names.</summary>
    public static IReadOnlyList<string> RsyncOverSsh(RemoteShell shell) =>
    [
        "--secluded-args",
        "--rsh=" + string.Join(' ', new[] { "ssh", "-o", "BatchMode=yes" }.Concat(shell.Options).Concat(shell.User is { } user ? ["-l", user] : []).Select(QuoteForRsh)),
    ];

    /// <summary>A path on the remote side, as rsync writes it; an IPv6 address needs brackets.</summary>
    public static string Remote(RemoteShell shell, string path) =>
        shell.Host.Contains(':', StringComparison.Ordinal) ? $"[{shell.Host}]:{path}" : $"{shell.Host}:{path}";

    /// <summary>What a failed run of rsync means.</summary>
    public static (Problem Problem, ExitCode ExitCode) Failure(RemoteShell shell, ProgramResult result) => result switch
    {
        ProgramResult.Ended { ExitCode: 24 } ended => (new Problem(
            "files vanished on the source while rsync copied them",
            ended.Explain("rsync").TrimEnd(),
            "This is usual on a busy server. Run the command again with -I/--ignore-rsync-warning; what is copied already is not copied again."), ExitCode.BadRsync),
        _ when CopyProgram.FoundDiskFull(result) => (new Problem(
            "there is no space left for the copy",
            result.Explain("rsync").TrimEnd(),
            "Free some space and run the command again; what is copied already is not copied again."), ExitCode.BadRsync),
        ProgramResult.Ended { ExitCode: 255 or 127 } ended => (new Problem(
            $"the connection to \"{shell.Host}\" over ssh failed", ended.Explain("rsync").TrimEnd(), "Run the command again; what is copied already is not copied again."), ExitCode.BadSsh),
        _ => (new Problem(
            $"could not copy from \"{shell.Host}\" with rsync", result.Explain("rsync").TrimEnd(), "Run the command again; what is copied already is not copied again."), ExitCode.BadRsync),
    };

    // rsync splits the value itself at blanks and knows both quotes, doubled inside.
    private static string QuoteForRsh(string word) =>
        word.AsSpan().IndexOfAny(" '\"") < 0 ? word : $"'{word.Replace("'", "''", StringComparison.Ordinal)}'";
}

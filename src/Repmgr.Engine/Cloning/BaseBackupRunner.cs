using System.Globalization;
using System.Text.RegularExpressions;
using Repmgr.Core.Cloning;
using Repmgr.Core.Planning;
using Repmgr.Core.Problems;
using Repmgr.Engine.Processes;

namespace Repmgr.Engine.Cloning;

/// <summary>Runs pg_basebackup into the staging directory.</summary>
internal sealed partial class BaseBackupRunner(BaseBackupCopy copy, IProgress<CopyProgress> progress)
{
    public async Task<StepOutcome> RunAsync(CancellationToken cancel)
    {
        try
        {
            TargetDirectory.RemoveStaging(copy.Staging, copy.Tablespaces);
            foreach (StagedTablespace space in copy.Tablespaces)
                Directory.CreateDirectory(space.Destination, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new StepOutcome.Failed(new Problem("could not prepare the directories of the copy", e.Message), ExitCode.SystemFailure);
        }

        progress.Report(new CopyProgress("waiting for the source's checkpoint"));
        ProgramResult result = await CopyProgram.RunAsync(copy.Program, Arguments(), ProgramEnvironment.Connecting(copy.Source), null, Said, cancel).ConfigureAwait(false);
        return result.Succeeded
            ? new StepOutcome.Done()
            : new StepOutcome.Failed(
                CopyProgram.FoundDiskFull(result)
                    ? new Problem(
                        "there is no space left for the copy",
                        Explain(result),
                        "What was copied is removed. Free some space and run the command again; --method=rsync would go on with what it has.")
                    : new Problem(
                        "pg_basebackup failed",
                        Explain(result),
                        "Mend the cause and run the command again: it starts over in the same directory."),
                ExitCode.BadBaseBackup);
    }

    private IReadOnlyList<string> Arguments() =>
    [
        "--dbname=" + copy.Source.WithoutSecrets().WithDefault("application_name", "repmgr standby clone").Reveal(),
        "--pgdata=" + copy.Staging,
        "--progress",
        .. copy.Tablespaces.Select(space => $"--tablespace-mapping={Escape(space.Location)}={Escape(space.Staging)}"),
        .. copy.Arguments,
    ];

    private void Said(string line)
    {
        Match match = ProgressLine().Match(line);
        if (match.Success)
            progress.Report(new CopyProgress("copying", Kilobytes(match.Groups[1].Value), Kilobytes(match.Groups[2].Value)));
    }

    private static string Explain(ProgramResult result) => string.Join(
        '\n', result.Explain("pg_basebackup").Split('\n').Where(line => !ProgressLine().IsMatch(line)));

    private static long Kilobytes(string text) => long.Parse(text, CultureInfo.InvariantCulture) * 1024;

    private static string Escape(string path) => path.Replace("=", "\\=", StringComparison.Ordinal);

    [GeneratedRegex(@"^\s*([0-9]+)/([0-9]+) kB \(")]
    private static partial Regex ProgressLine();
}

using System.Globalization;
using System.Text.RegularExpressions;
using Repmgr.Core.Cloning;
using Repmgr.Core.Planning;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Engine.Processes;

namespace Repmgr.Engine.Cloning;

/// <summary>Runs pg_basebackup into the staging directory.</summary>
internal sealed partial class BaseBackupRunner(BaseBackupCopy copy, IProgress<CopyProgress> progress)
{
    private long? _received;

    public async Task<StepOutcome> RunAsync(CancellationToken cancel)
    {
        try
        {
            TargetDirectory.RemoveStaging(copy.Staging, copy.Tablespaces.Select(space => space.Destination));
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
            ? new StepOutcome.Done { Copied = Copied() }
            : new StepOutcome.Failed(
                CopyProgram.FoundDiskFull(result)
                    ? new Problem(
                        "there is no space left for the copy",
                        Explain(result),
                        "What was copied is removed. Free some space and run the command again. Methods direct and rsync keep what they have copied and go on from there.")
                    : new Problem(
                        "pg_basebackup failed",
                        Explain(result),
                        IsIncremental
                            ? "Mend the cause and run the command again; or, where the source has no summaries of its WAL since the earlier backup any more, leave --incremental-from out."
                            : "Mend the cause and run the command again: it starts over in the same directory."),
                ExitCode.BadBaseBackup);
    }

    private bool IsIncremental => Path.GetFileName(copy.Staging) == CopyRules.Incremental;

    private IReadOnlyList<string> Arguments() =>
    [
        "--dbname=" + SignsOfLife.AskedFor(copy.Source.WithoutSecrets().WithDefault("application_name", "repmgr standby clone")).Reveal(),
        "--pgdata=" + copy.Staging,
        "--progress",
        .. copy.Tablespaces.Select(space => $"--tablespace-mapping={Escape(space.Location)}={Escape(copy.StagingOf(space))}"),
        .. copy.Arguments,
    ];

    private void Said(string line)
    {
        Match match = ProgressLine().Match(line);
        if (!match.Success)
            return;
        _received = Kilobytes(match.Groups[1].Value);
        progress.Report(new CopyProgress("copying", _received, Kilobytes(match.Groups[2].Value)));
    }

    private CloneResult Copied()
    {
        CopySize? size = CopySize.TryOf([copy.Staging, .. copy.Tablespaces.Select(copy.StagingOf)]);
        return new CloneResult(CloneMethod.BaseBackup, 1, TimeSpan.Zero)
        {
            Files = size?.Files,
            BytesTotal = size?.Bytes,
            BytesMoved = _received,
            BytesCompared = 0,
            StartLsn = RestoredCopyFiles.Label(copy.Staging)?.Start,
            StopLsn = ManifestEnd.Read(copy.Staging),
        };
    }

    private static string Explain(ProgramResult result) => string.Join(
        '\n', result.Explain("pg_basebackup").Split('\n').Where(line => !ProgressLine().IsMatch(line)));

    private static long Kilobytes(string text) => long.Parse(text, CultureInfo.InvariantCulture) * 1024;

    /// <summary>A path in a tablespace mapping, where a bare equals sign parts old from new.</summary>
    public static string Escape(string path) => path.Replace("=", "\\=", StringComparison.Ordinal);

    [GeneratedRegex(@"^\s*([0-9]+)/([0-9]+) kB \(")]
    private static partial Regex ProgressLine();
}

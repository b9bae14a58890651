using System.Globalization;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Cloning;

/// <summary>An earlier backup on this host that an incremental one is to be put on top of.</summary>
/// <param name="Directory">Where it lies, as pg_basebackup made it in plain format.</param>
/// <param name="Major">From <c>PG_VERSION</c>; null when there is none.</param>
/// <param name="SystemIdentifier">From its control file; null when there is none.</param>
/// <param name="HasManifest">There is a <c>backup_manifest</c>.</param>
/// <param name="Label">From <c>backup_label</c>; null when there is none, for instance because a server was started on it.</param>
public sealed record EarlierBackup(string Directory, int? Major, ulong? SystemIdentifier, bool HasManifest, BackupLabel? Label);

/// <summary>The questions asked before an incremental backup is taken on top of earlier ones.</summary>
/// <remarks>https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-INCREMENTAL-BACKUP</remarks>
internal static class IncrementalChecks
{
    /// <summary>The first that takes incremental backups.</summary>
    private const int FirstMajor = 17;

    private const string FullInstead = "leave --incremental-from out to have the whole cluster copied";

    public static IEnumerable<Objection> Of(CloneRequest request, CloneSource source, CloneTarget target, CloneTools tools)
    {
        if (request.EarlierBackups.Count == 0)
            return [];
        if (source.Version.Major < FirstMajor)
        {
            return
            [
                new(new Problem(
                    "the source cannot make incremental backups",
                    $"It runs PostgreSQL {source.Version}; they came with {FirstMajor}.",
                    $"{char.ToUpperInvariant(FullInstead[0])}{FullInstead[1..]}.")),
            ];
        }

        return [.. OfSource(source), .. OfOptions(request), .. OfProgram(source, tools), .. OfChain(source, target.EarlierBackups)];
    }

    private static IEnumerable<Objection> OfSource(CloneSource source)
    {
        if (!source.SummarizeWal)
        {
            yield return new(new Problem(
                "\"summarize_wal\" is off on the source",
                "Without summaries of its WAL the source does not know what has changed since the earlier backup.",
                $"Set summarize_wal = on there and reload it, and take a new full backup to begin with; or {FullInstead}."));
        }
    }

    // pg_combinebackup copies the WAL of the last backup, but not through a link.
    private static IEnumerable<Objection> OfOptions(CloneRequest request)
    {
        if (BaseBackupWords.Has(request.BaseBackupOptions, BaseBackupWords.WalDirectory))
            yield return new(new Problem("--waldir and --incremental-from exclude each other", Hint: "Remove --waldir from pg_basebackup_options for this clone."));
    }

    private static IEnumerable<Objection> OfProgram(CloneSource source, CloneTools tools)
    {
        if (!tools.CombineBackup)
        {
            yield return new(new Problem(
                "pg_combinebackup was not found",
                $"Looked in {tools.BinDirectory ?? "the usual places and PATH"}.",
                $"Install PostgreSQL {source.Version.Major}'s programs here (on Debian: postgresql-{source.Version.Major}), or say where they are with pg_bindir (-b)."));
        }
    }

    private static IEnumerable<Objection> OfChain(CloneSource source, IReadOnlyList<EarlierBackup> chain)
    {
        for (int i = 0; i < chain.Count; i++)
        {
            if (Fault(source, chain[i]) is { } unfit)
                yield return new(unfit);
            else if (Gap(i == 0 ? null : chain[i - 1], chain[i]) is { } gap)
                yield return new(gap);
        }
    }

    private static Problem? Fault(CloneSource source, EarlierBackup backup) => backup switch
    {
        { Major: null } or { SystemIdentifier: null } => new Problem(
            $"there is no backup in \"{backup.Directory}\"",
            "An earlier backup is a directory that pg_basebackup filled in plain format.",
            "Correct --incremental-from."),
        { SystemIdentifier: { } identifier } when identifier != source.SystemIdentifier => new Problem(
            $"the backup in \"{backup.Directory}\" is of another cluster",
            string.Create(CultureInfo.InvariantCulture, $"Its system identifier is {identifier}, the source's is {source.SystemIdentifier}."),
            "Correct --incremental-from."),
        { Major: { } major } when major != source.Version.Major => new Problem(
            $"the backup in \"{backup.Directory}\" is of PostgreSQL {major}", $"The source runs {source.Version}.", $"Name a newer one, or {FullInstead}."),
        { HasManifest: false } => new Problem(
            $"the backup in \"{backup.Directory}\" has no {BackupManifest.FileName}",
            "By it the source knows what that backup contains.",
            "Take the earlier backup without --no-manifest."),
        { Label: null } => new Problem(
            $"the backup in \"{backup.Directory}\" has no backup_label",
            "A server has been started on it, or it is no backup: it is not what its manifest says any more.",
            "Name a backup that was left alone."),
        _ => null,
    };

    private static Problem? Gap(EarlierBackup? before, EarlierBackup backup) => (before, backup.Label?.IncrementalFrom) switch
    {
        (null, { }) => new Problem(
            $"the backup in \"{backup.Directory}\" is an incremental one",
            Hint: "Name all that it is built on before it, the full one first, separated by commas."),
        ({ } earlier, null) => new Problem(
            $"the backup in \"{backup.Directory}\" is a full one", Hint: $"It needs none before it: leave \"{earlier.Directory}\" out."),
        ({ Label: { } label } earlier, { } from) when from != label.Start => new Problem(
            $"the backup in \"{backup.Directory}\" is not built on the one in \"{earlier.Directory}\"",
            $"It is built on one that begins at {from}; that one begins at {label.Start}.",
            "Name them in the order in which they were made, oldest first."),
        _ => null,
    };
}

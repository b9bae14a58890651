using System.Globalization;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Cloning;

/// <summary>What a copy that another tool made must be.</summary>
/// <param name="SourceName">For messages.</param>
/// <param name="SystemIdentifier">Of the source.</param>
/// <param name="Major">Of the source.</param>
/// <param name="Tablespaces">Those of the source that have a directory of their own, with the directory they are to have here.</param>
public sealed record ExpectedCopy(string SourceName, ulong SystemIdentifier, int Major, IReadOnlyList<StagedTablespace> Tablespaces);

/// <summary>What a tool left in the directory it was given.</summary>
/// <param name="IsEmpty">Nothing at all.</param>
/// <param name="Major">From <c>PG_VERSION</c>; null when there is none.</param>
/// <param name="SystemIdentifier">From the control file; null when there is none.</param>
/// <param name="ControlFileIsWhole">Its checksum is right.</param>
/// <param name="MissingDirectories">Of <c>base</c> and <c>global</c>.</param>
/// <param name="Tablespaces">Where each of its tablespaces lies, by number.</param>
/// <param name="Label">From <c>backup_label</c>; null when there is none.</param>
public sealed record RestoredCopy(
    bool IsEmpty,
    int? Major,
    ulong? SystemIdentifier,
    bool ControlFileIsWhole,
    IReadOnlyList<string> MissingDirectories,
    IReadOnlyDictionary<uint, RestoredTablespace> Tablespaces,
    BackupLabel? Label);

/// <summary>A tablespace of a restored copy.</summary>
/// <param name="Directory">Where its link leads.</param>
/// <param name="HoldsVersion">The directory holds one of the copy's major version.</param>
public sealed record RestoredTablespace(string Directory, bool HoldsVersion);

/// <summary>Decides whether what a tool restored is a whole copy of the source's cluster.</summary>
public static class RestoredCopyCheck
{
    /// <summary>Every reason why it is not.</summary>
    public static IReadOnlyList<string> Faults(ExpectedCopy expected, RestoredCopy found) => found switch
    {
        { IsEmpty: true } => ["it put nothing there"],
        { Major: null } => ["there is no PG_VERSION: this is no data directory"],
        { Major: { } major } when major != expected.Major => [Text($"it is of PostgreSQL {major}, and {expected.SourceName} runs {expected.Major}")],
        _ => [.. Identity(expected, found), .. found.MissingDirectories.Select(name => $"directory \"{name}\" is missing"), .. Tablespaces(expected, found)],
    };

    /// <summary>The same as one problem; null when it is whole.</summary>
    public static Problem? Problem(CommandCopy copy, RestoredCopy found) =>
        Faults(copy.Expected, found) is { Count: > 0 } faults
            ? new Problem(
                $"clone_command left no whole copy of {copy.Expected.SourceName}'s cluster in \"{copy.Staging}\"",
                $"It ended with exit code 0, but {string.Join("; ", faults)}.",
                "Correct clone_command: it must restore a backup of that very cluster into the directory that %D stands for. See docs/cloning.md.")
            : null;

    private static IEnumerable<string> Identity(ExpectedCopy expected, RestoredCopy found)
    {
        if (found.SystemIdentifier is null)
            yield return $"{CopyRules.ControlFile} is missing";
        else if (!found.ControlFileIsWhole)
            yield return $"{CopyRules.ControlFile} is damaged";
        else if (found.SystemIdentifier != expected.SystemIdentifier)
            yield return Text($"it is another cluster: its system identifier is {found.SystemIdentifier}, that of {expected.SourceName} is {expected.SystemIdentifier}");
    }

    private static IEnumerable<string> Tablespaces(ExpectedCopy expected, RestoredCopy found)
    {
        foreach ((uint oid, RestoredTablespace space) in found.Tablespaces.OrderBy(space => space.Key))
        {
            if (!space.HoldsVersion)
                yield return Text($"tablespace {oid} is not in \"{space.Directory}\"");
            else if (expected.Tablespaces.FirstOrDefault(wanted => wanted.Oid == oid) is { } wanted && wanted.Destination.TrimEnd('/') != space.Directory.TrimEnd('/'))
                yield return Text($"tablespace {oid} is in \"{space.Directory}\" and not in \"{wanted.Destination}\", as tablespace_mapping has it");
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

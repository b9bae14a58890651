using System.Globalization;
using Repmgr.Core.Cloning;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Verification;

/// <summary>What stands in the way of a comparison.</summary>
public static class VerifyChecks
{
    /// <param name="directory">The data directory here.</param>
    /// <param name="content">What is in it.</param>
    /// <param name="source">What the source said.</param>
    /// <param name="sourceName">Its name for messages.</param>
    /// <param name="database">The database that was connected to: rights on functions hold in one.</param>
    /// <param name="unreadable">Why this user cannot read the files here; null when it can.</param>
    public static IReadOnlyList<Problem> Of(string directory, TargetContent content, CloneSource source, string sourceName, string? database, string? unreadable) =>
    [
        .. Here(directory, content, source, sourceName),
        .. unreadable is null ? [] : new[] { new Problem($"the files in \"{directory}\" cannot be read", $"{unreadable}.", "Run repmgr as the operating-system user that PostgreSQL runs as here.") },
        .. Rights(source, sourceName, database),
    ];

    private static IEnumerable<Problem> Here(string directory, TargetContent content, CloneSource source, string sourceName) => content switch
    {
        TargetContent.Cluster cluster when cluster.Major != source.Version.Major =>
            [new Problem($"\"{directory}\" is of another major version than {sourceName}", $"Here it is PostgreSQL {cluster.Major}, there {source.Version}.", "Name with -h a server of the same cluster.")],
        TargetContent.Cluster { SystemIdentifier: { } own } when own != source.SystemIdentifier =>
            [new Problem($"\"{directory}\" and {sourceName} belong to different clusters", string.Create(CultureInfo.InvariantCulture, $"The system identifier here is {own}, there {source.SystemIdentifier}."), "Name with -h a server of the same cluster.")],
        TargetContent.Cluster => [],
        TargetContent.Unfinished { InProgress: true } => [new Problem($"another repmgr is cloning into \"{directory}\"", Hint: "Wait for it to end.")],
        TargetContent.Unfinished => [new Problem($"\"{directory}\" holds an unfinished clone", Hint: "Complete it with \"repmgr standby clone\", which compares what is there already.")],
        TargetContent.Unreadable unreadable => [new Problem($"\"{directory}\" cannot be looked into", $"{unreadable.Reason}.", "Run repmgr as the operating-system user that PostgreSQL runs as here.")],
        _ => [new Problem($"there is no PostgreSQL cluster in \"{directory}\"", Hint: "Name the data directory with -D, or set data_directory in repmgr.conf.")],
    };

    private static IEnumerable<Problem> Rights(CloneSource source, string sourceName, string? database)
    {
        if (source.Rights is { Superuser: false, MissingFileFunctions: { Count: > 0 } missing } rights)
        {
            yield return new Problem(
                $"role \"{rights.Role}\" lacks rights on {sourceName}",
                "They are the same that clone its files.",
                $"Run as a superuser in database \"{database}\" of the primary: {string.Join(" ", missing.Select(function => $"GRANT EXECUTE ON FUNCTION {function} TO {SqlText.Name(rights.Role)};"))}");
        }
    }
}

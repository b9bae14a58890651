namespace Repmgr.Core.Checks.Nodes;

/// <summary>Whether <c>data_directory</c> names the server's own: whoever clones, stops or rejoins there must not hit another.</summary>
internal static class DirectoryCheck
{
    public static CheckFinding Of(DataDirectoryView view) => view switch
    {
        { Configured: null } => Finding(CheckStatus.Ok, "\"data_directory\" is not set, and found out where it is needed", view.OfServer ?? "(not set)", null),
        { IsSame: true } => Finding(CheckStatus.Ok, $"configured \"data_directory\" is \"{view.Configured}\"", view.Configured, null),
        { IsSame: false, OfServer: { } server } =>
            Finding(CheckStatus.Critical, $"configured \"data_directory\" is \"{view.Configured}\", the server's is \"{server}\"", view.Configured, $"the server's is {server}"),
        { IsSame: false } =>
            Finding(CheckStatus.Critical, $"configured \"data_directory\" is \"{view.Configured}\", and the server does not run there", view.Configured, "the server does not run there"),
        _ => Finding(
            CheckStatus.Unknown, $"configured \"data_directory\" is \"{view.Configured}\"; the server's may not be seen by this role (pg_read_all_settings)", view.Configured,
            "the server's may not be seen"),
    };

    private static CheckFinding Finding(CheckStatus status, string details, string directory, string? why) =>
        new(CheckItem.DataDirectory, status, details) { NagiosDetails = directory, Performance = why };
}

using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;

namespace Repmgr.Core.Cloning;

/// <summary>What <c>clone_command</c> is to do: any tool that can put a backup of the source's cluster into a directory.</summary>
/// <param name="Template">As it stands in the configuration.</param>
/// <param name="Command">The same, ready to be run.</param>
/// <param name="Source">The server whose cluster it is; may hold a password, which travels in the environment.</param>
/// <param name="Staging">Where the command puts its copy: an empty directory inside the data directory, on the same file system.</param>
/// <param name="DataDirectory">Where the copy goes when it is found to be whole.</param>
/// <param name="Expected">What it must be.</param>
/// <param name="TotalBytes">The expected size, for progress; null when it is not known.</param>
public sealed record CommandCopy(
    string Template, HookCommand Command, Conninfo Source, string Staging, string DataDirectory, ExpectedCopy Expected, long? TotalBytes);

/// <summary>Composes <c>clone_command</c>.</summary>
public static class CloneCommandLine
{
    /// <summary>Says where the command puts its copy, to the command and to all that it starts.</summary>
    public const string DirectoryVariable = "REPMGR_DATA_DIRECTORY";

    /// <param name="template">From the configuration.</param>
    /// <param name="request">What is wanted.</param>
    /// <param name="version">Of the source.</param>
    /// <param name="source">How the source is reached.</param>
    /// <param name="staging">Where the copy goes.</param>
    /// <param name="binDirectory">PostgreSQL's programs here; null when not found.</param>
    public static HookCommand Compose(
        string template, CloneRequest request, PostgresVersion version, Conninfo source, string staging, string? binDirectory) =>
        HookCommand.Compose(template, new Dictionary<char, HookValue>
        {
            ['D'] = new(DirectoryVariable, staging),
            ['n'] = new("REPMGR_NODE_ID", request.NodeId?.ToString(CultureInfo.InvariantCulture)),
            ['a'] = new("REPMGR_NODE_NAME", request.NodeName),
            ['h'] = new("REPMGR_SOURCE_HOST", source["host"] ?? source["hostaddr"]),
            ['p'] = new("REPMGR_SOURCE_PORT", source["port"]),
            ['u'] = new("REPMGR_SOURCE_USER", source["user"]),
            ['d'] = new("REPMGR_SOURCE_DBNAME", source["dbname"]),
            ['c'] = new("REPMGR_SOURCE_CONNINFO", source.WithoutSecrets().Reveal()),
            ['v'] = new("REPMGR_PG_MAJOR", version.Major.ToString(CultureInfo.InvariantCulture)),
            ['b'] = new("REPMGR_PG_BINDIR", binDirectory),
        });
}

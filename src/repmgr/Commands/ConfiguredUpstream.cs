using Repmgr.Core.Postgres;
using Repmgr.Engine.Files;

namespace Repmgr.Cli.Commands;

/// <summary>The server that a data directory on this machine replicates from by its configuration: for when its own server cannot be asked.</summary>
internal static class ConfiguredUpstream
{
    /// <param name="directory">The data directory.</param>
    /// <param name="own">The node's own conninfo. The replication role may not be allowed into the database: role and database are those of this one.</param>
    /// <returns>Null when it names none, or may not be read.</returns>
    public static Conninfo? Of(string directory, Conninfo own)
    {
        try
        {
            return AutoConf.Read(directory).TryGetValue("primary_conninfo", out string? text)
                && Conninfo.TryParse(text, out Conninfo? parsed, out _)
                && parsed["host"] is { } host
                    ? own.Without("host").Without("hostaddr").With("host", host).With("port", parsed["port"] ?? "5432")
                    : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // Without the right to read it, there is no such way round.
        }
    }
}

using Repmgr.Core.Planning.Registration;
using Repmgr.Core.Postgres;
using Repmgr.Core.Settings;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Metadata;

/// <summary>Connects and looks at the metadata.</summary>
public static class MetadataLook
{
    private static readonly TimeSpan s_within = TimeSpan.FromSeconds(5);

    /// <summary>What is there and what the role may do; a server that cannot be reached is an answer too.</summary>
    public static async Task<Answer<MetadataView>> AtAsync(
        PostgresConnector connector, Conninfo primary, Settings settings, CancellationToken cancel)
    {
        ConnectResult result = await connector.OpenAsync(primary, cancel);
        if (result is not ConnectResult.Opened opened)
            return new Answer<MetadataView>.Failed((result as ConnectResult.Rejected)?.SqlState, result.Failure ?? "");

        await using (opened.Session)
        {
            return await opened.Session.RunAsync(
                (connection, token) => MetadataReader.ReadAsync(connection, settings.Cluster, settings.ReplicationUser, token), s_within, cancel);
        }
    }
}

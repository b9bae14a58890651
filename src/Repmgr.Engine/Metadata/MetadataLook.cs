using Repmgr.Core.Checks;
using Repmgr.Core.Planning.Registration;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Metadata;

/// <summary>Connects and looks at the metadata.</summary>
public static class MetadataLook
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(5);

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
                (connection, token) => MetadataReader.ReadAsync(connection, settings.Cluster, settings.ReplicationUser, token), Within, cancel);
        }
    }

    /// <summary>Which rights are missing to use the metadata like that; null when none is, or when it could not be asked: then what is tried next says why.</summary>
    public static async Task<Problem?> LackingAsync(PostgresConnector connector, Conninfo primary, MetadataUse use, CancellationToken cancel)
    {
        if (await connector.OpenAsync(primary, cancel) is not ConnectResult.Opened opened)
            return null;

        await using (opened.Session)
            return await LackingAsync(opened.Session, use, cancel);
    }

    /// <inheritdoc cref="LackingAsync(PostgresConnector, Conninfo, MetadataUse, CancellationToken)"/>
    public static async Task<Problem?> LackingAsync(PostgresSession primary, MetadataUse use, CancellationToken cancel) =>
        await primary.RunAsync((connection, token) => MetadataReader.ReadAsync(connection, null, null, token), Within, cancel)
            is Answer<MetadataView>.Got { Value: var metadata } ? RightsCheck.For(use, metadata.Rights) : null;
}

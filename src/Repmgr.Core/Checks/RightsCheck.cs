using Repmgr.Core.Cluster;
using Repmgr.Core.Planning.Registration;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Checks;

/// <summary>What the role that repmgr connects as may do, as the server says.</summary>
/// <param name="Role"><c>current_user</c></param>
/// <param name="Database"><c>current_database()</c></param>
/// <param name="IsSuperuser">Then it may do everything.</param>
/// <param name="CreateInDatabase">It may create schemas.</param>
/// <param name="Schema">Its rights on schema <c>repmgr</c>; null: there is no such schema.</param>
/// <param name="OriginalSchema">Its rights on schema <c>repmgr_CLUSTER</c>; null: there is no such schema, or none is wanted.</param>
/// <param name="OwnsExtension">It is a member of the role that owns extension <c>repmgr</c> and its tables; true when there is none.</param>
/// <param name="Monitors">It may read all statistics and all settings (pg_monitor has both).</param>
/// <param name="Promotes">It may execute <c>pg_promote</c>.</param>
/// <param name="Resumes">It may execute <c>pg_wal_replay_resume</c>.</param>
/// <param name="Checkpoints">It may run CHECKPOINT; true before PostgreSQL 15, where no right exists that could be granted.</param>
/// <param name="ReplicationRole">Who replication connections are made as.</param>
/// <param name="Replicates">That role has the attribute REPLICATION, or is a superuser.</param>
public sealed record RightsView(
    string Role,
    string Database,
    bool IsSuperuser,
    bool CreateInDatabase,
    SchemaRights? Schema,
    SchemaRights? OriginalSchema,
    bool OwnsExtension,
    bool Monitors,
    bool Promotes,
    bool Resumes,
    bool Checkpoints,
    string ReplicationRole,
    bool Replicates)
{
    /// <summary>Of the functions that cloning by the direct method calls, those that it may not execute, by their signatures.</summary>
    public IReadOnlyList<string> MissingCloneFunctions { get; init; } = [];
}

/// <summary>Which rights are missing, as the statements that grant them.</summary>
public static class RightsCheck
{
    /// <summary>Without these the metadata cannot be made or written. All that is missing, also for later, is listed at once.</summary>
    /// <param name="metadata">What is there, and what the role may do.</param>
    /// <param name="cluster">The <c>cluster</c> whose views are wanted; null: none.</param>
    public static Problem? ForRegistering(MetadataView metadata, string? cluster)
    {
        RightsView rights = metadata.Rights;
        if (rights.IsSuperuser || metadata.Schema is SchemaState.Foreign)
            return null;

        List<string> needed = [.. ToCreate(metadata, cluster), .. rights.Schema?.GrantsFor(MetadataUse.Register, rights.Role) ?? []];
        return needed.Count == 0 ? null : Lacking(MetadataUse.Register, rights, needed);
    }

    /// <summary>Why the metadata cannot be used like that; null when it can.</summary>
    public static Problem? For(MetadataUse use, RightsView rights)
    {
        IReadOnlyList<string> needed = ToUse(use, rights);
        return needed.Count == 0 ? null : Lacking(use, rights, needed);
    }

    /// <summary>
    /// The statements without which the metadata cannot be used like that, and at once those that other uses of the kind need; none
    /// when it can.
    /// </summary>
    public static IReadOnlyList<string> ToUse(MetadataUse use, RightsView rights)
    {
        if (rights.IsSuperuser || rights.Schema is not { } schema || schema.Allows(use))
            return [];

        string[] usage = schema.Use ? [] : [$"GRANT USAGE ON SCHEMA repmgr TO {SqlText.Name(rights.Role)};"];
        return [.. usage, .. schema.GrantsFor(use, rights.Role)];
    }

    /// <summary>What works without these now will fail in a later command: a reason to warn, not to refuse.</summary>
    public static Problem? ForLater(RightsView rights)
    {
        if (rights.IsSuperuser)
            return null;

        List<string> later = [.. NeededLater(rights)];
        return later.Count == 0
            ? null
            : new Problem(
                $"role \"{rights.Role}\" lacks rights that cloning, monitoring or promoting will need",
                Detail: Grants.Missing(later),
                Hint: Grants.RunThem(rights.Database));
    }

    // Who registers a node hears at once what the node will need later.
    private static Problem Lacking(MetadataUse use, RightsView rights, IReadOnlyList<string> statements) => new(
        $"role \"{rights.Role}\" lacks rights in database \"{rights.Database}\"",
        Detail: Grants.Missing([.. statements, .. use == MetadataUse.Register ? NeededLater(rights) : []]),
        Hint: Grants.RunThem(rights.Database));

    private static IEnumerable<string> ToCreate(MetadataView metadata, string? cluster)
    {
        RightsView rights = metadata.Rights;
        string role = SqlText.Name(rights.Role);
        bool makesViews = cluster is not null && !metadata.OriginalViews;
        bool makesSchema = rights.Schema is null || (makesViews && rights.OriginalSchema is null);
        if (makesSchema && !rights.CreateInDatabase)
            yield return $"GRANT CREATE ON DATABASE {SqlText.Name(rights.Database)} TO {role};";

        bool makesTables = metadata.Schema is not SchemaState.Present { Version: >= SchemaState.Current };
        if (makesTables && rights.Schema is { Use: false } or { Create: false })
            yield return $"GRANT USAGE, CREATE ON SCHEMA repmgr TO {role};";
        else if (rights.Schema is { Use: false })
            yield return $"GRANT USAGE ON SCHEMA repmgr TO {role};";

        if (makesViews && rights.OriginalSchema is { Use: false } or { Create: false })
            yield return $"GRANT USAGE, CREATE ON SCHEMA {SqlText.Name(OriginalSchema.NameFor(cluster!))} TO {role};";
    }

    private static IEnumerable<string> NeededLater(RightsView rights)
    {
        string role = SqlText.Name(rights.Role);
        if (!rights.Monitors)
            yield return $"GRANT pg_monitor TO {role};";
        if (!rights.Promotes)
            yield return Grants.Promote(rights.Role);
        if (!rights.Resumes)
            yield return Grants.OnFunction("pg_wal_replay_resume()", rights.Role);
        foreach (string function in rights.MissingCloneFunctions)
            yield return Grants.OnFunction(function, rights.Role);
        if (!rights.Checkpoints)
            yield return $"GRANT pg_checkpoint TO {role};";
        if (!rights.Replicates)
            yield return $"ALTER ROLE {SqlText.Name(rights.ReplicationRole)} REPLICATION;";
    }
}

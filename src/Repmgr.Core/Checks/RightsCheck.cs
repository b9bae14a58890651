using Repmgr.Core.Cluster;
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
    bool Replicates);

/// <summary>Rights on a schema and on all relations in it that there are.</summary>
public sealed record SchemaRights(bool Use, bool Create, bool ReadAndWrite);

/// <summary>Which rights are missing, as the statements that grant them.</summary>
public static class RightsCheck
{
    /// <summary>Without these the metadata cannot be written. All that is missing, also for later, is listed at once.</summary>
    /// <param name="rights">What the role may do.</param>
    /// <param name="schema">What is there.</param>
    /// <param name="cluster">The <c>cluster</c> whose views are wanted; null: none.</param>
    public static Problem? ForRegistering(RightsView rights, SchemaState schema, string? cluster)
    {
        if (rights.IsSuperuser)
            return null;

        List<string> needed = [.. Needed(rights, schema, cluster)];
        if (needed.Count == 0)
            return null;

        return new Problem(
            $"role \"{rights.Role}\" lacks rights in database \"{rights.Database}\"",
            Detail: $"Missing, in the words that grant it:\n  {string.Join("\n  ", [.. needed, .. NeededLater(rights)])}",
            Hint: "Run these statements as a superuser in that database, then run the command again.");
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
                Detail: $"Missing, in the words that grant it:\n  {string.Join("\n  ", later)}",
                Hint: "Run these statements as a superuser.");
    }

    private static IEnumerable<string> Needed(RightsView rights, SchemaState schema, string? cluster)
    {
        string role = SqlText.Name(rights.Role);
        bool createsSchema = rights.Schema is null || (cluster is not null && rights.OriginalSchema is null);
        if (createsSchema && !rights.CreateInDatabase)
            yield return $"GRANT CREATE ON DATABASE {SqlText.Name(rights.Database)} TO {role};";

        bool makesTables = schema is not SchemaState.Present { Version: >= SchemaState.Current };
        if (rights.Schema is { } own && (!own.Use || (makesTables && !own.Create)))
            yield return $"GRANT USAGE, CREATE ON SCHEMA repmgr TO {role};";

        if (rights.Schema is { ReadAndWrite: false } && schema is not SchemaState.Absent)
            yield return $"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA repmgr TO {role};";

        if (cluster is not null && rights.OriginalSchema is { Use: false } or { Create: false })
            yield return $"GRANT USAGE, CREATE ON SCHEMA {SqlText.Name(OriginalSchema.NameFor(cluster!))} TO {role};";
    }

    private static IEnumerable<string> NeededLater(RightsView rights)
    {
        string role = SqlText.Name(rights.Role);
        if (!rights.Monitors)
            yield return $"GRANT pg_monitor TO {role};";
        if (!rights.Promotes)
            yield return $"GRANT EXECUTE ON FUNCTION pg_catalog.pg_promote(boolean, integer) TO {role};";
        if (!rights.Resumes)
            yield return $"GRANT EXECUTE ON FUNCTION pg_catalog.pg_wal_replay_resume() TO {role};";
        if (!rights.Checkpoints)
            yield return $"GRANT pg_checkpoint TO {role};";
        if (!rights.Replicates)
            yield return $"ALTER ROLE {SqlText.Name(rights.ReplicationRole)} REPLICATION;";
    }
}

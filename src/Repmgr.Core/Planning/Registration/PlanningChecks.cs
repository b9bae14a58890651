using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Planning.Registration;

/// <summary>Checks that registering a primary and registering a standby share.</summary>
internal static class PlanningChecks
{
    public static IEnumerable<Problem> Version(PostgresVersion version)
    {
        if (version.IsSupported)
            yield break;

        yield return new Problem(
            $"PostgreSQL {version} is not supported",
            Detail: $"Versions {PostgresVersion.OldestMajor} to {PostgresVersion.NewestMajor} are.");
    }

    public static IEnumerable<Problem> Identity(NodeRecord node, ClusterView cluster, string? clusterName)
    {
        if (NodeNames.Judge(node.Name) is { } wrongName)
            yield return wrongName;

        if (clusterName is not null && OriginalSchema.Judge(clusterName) is { } wrongCluster)
            yield return wrongCluster;

        NodeRecord? namesake = cluster.Nodes.Select(view => view.Record)
            .FirstOrDefault(other => other.Id != node.Id && other.Active && other.Name == node.Name);
        if (namesake is not null)
        {
            yield return new Problem(
                $"the name \"{node.Name}\" belongs to node {namesake.Id}",
                Detail: $"Its conninfo is: {Shown(namesake.Conninfo)}",
                Hint: "Set another \"node_name\" in repmgr.conf.");
        }
    }

    public static IEnumerable<Problem> Schema(SchemaState schema, bool takeOver)
    {
        switch (schema)
        {
            case SchemaState.Extension extension when !takeOver:
                yield return new Problem(
                    $"this cluster was registered by repmgr 5: its metadata belongs to extension \"repmgr\" {extension.Version}",
                    Hint: "Run \"repmgr primary register --force\" on the primary: it keeps all data, makes plain tables of it and drops the extension.");
                break;
            case SchemaState.Foreign foreign:
                yield return new Problem(
                    "schema \"repmgr\" holds something that is not repmgr's",
                    Detail: $"For instance the relation \"{foreign.Relation}\", and no extension \"repmgr\".",
                    Hint: "Rename that schema, or name another database in conninfo.");
                break;
            case SchemaState.Present { Version: > SchemaState.Current } present:
                yield return new Problem(
                    "the metadata was made by a newer repmgr",
                    Detail: $"It has version {present.Version}; this program knows version {SchemaState.Current}.",
                    Hint: "Use the newer program here too.");
                break;
        }
    }

    public static Problem AlreadyRegistered(NodeRecord record)
    {
        string type = record.Type.Name();
        return new Problem(
            $"node {record.Id} is already registered",
            Detail: $"As {type} \"{record.Name}\", with conninfo: {Shown(record.Conninfo)}",
            Hint: "Use -F/--force to replace its record.");
    }

    /// <summary>A registered conninfo as it may be shown: repmgr 5 stored passwords.</summary>
    public static string Shown(string conninfo) =>
        Conninfo.TryParse(conninfo, out Conninfo? parsed, out _) ? parsed.WithoutSecrets().ToString() : "(not readable)";
}

using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;

namespace Repmgr.Engine.Failover;

/// <summary>The paths that load balancers ask, with Patroni's names and status codes.</summary>
/// <remarks>https://patroni.readthedocs.io/en/latest/rest_api.html#health-check-endpoints</remarks>
internal static class HealthPaths
{
    private const string Json = "application/json", Metrics = "text/plain; version=0.0.4; charset=utf-8";

    /// <param name="method">Of HTTP.</param>
    /// <param name="withQuery">The path.</param>
    /// <param name="health">How the node stands.</param>
    /// <param name="history">Which timelines there were.</param>
    public static ApiReply Answer(string method, string withQuery, AgentHealth health, Func<EndedTimelines> history)
    {
        string[] parts = withQuery.Split('?', 2);
        if (method is not ("GET" or "HEAD" or "OPTIONS"))
            return new ApiReply(405, Json, Body(health), null);
        if (parts[0] == "/history")
            return new ApiReply(200, Json, HistoryOf(history()), null);
        if (parts[0] == "/metrics")
            return new ApiReply(200, Metrics, Encoding.UTF8.GetBytes(MetricsOf(health)), null);
        bool? good = parts[0] switch
        {
            "/" or "/primary" or "/leader" or "/master" or "/read-write" => health.IsPrimary,
            // This is no standby cluster, and has no leader of one.
            "/standby-leader" or "/standby_leader" => false,
            "/asynchronous" or "/async" when health.Commits is { IsMember: true } => false,
            "/replica" or "/asynchronous" or "/async" => IsReplica(parts, health),
            "/read-only" or "/readiness" => health.IsPrimary || IsReplica(parts, health),
            // All members of the set count alike: it is what Patroni calls a quorum.
            "/synchronous" or "/sync" or "/quorum" => IsMember(parts, health),
            "/read-only-sync" or "/read-only-quorum" => health.IsPrimary || IsMember(parts, health),
            "/health" => health.IsRunning,
            "/liveness" or "/cluster" or "/patroni" => true,
            _ => null,
        };
        return new ApiReply(good switch { true => 200, false => 503, null => 404 }, Json, Body(health), null);
    }

    private static bool IsReplica(string[] parts, AgentHealth health) => health is { IsStandby: true, IsStreaming: true } && IsWithin(parts.ElementAtOrDefault(1), health);

    private static bool IsMember(string[] parts, AgentHealth health) => health.Commits is { IsMember: true } && IsReplica(parts, health);

    // lag=1MB: https://patroni.readthedocs.io/en/latest/rest_api.html. Not known counts as too much.
    private static bool IsWithin(string? query, AgentHealth health)
    {
        string? limit = query?.Split('&').FirstOrDefault(part => part.StartsWith("lag=", StringComparison.Ordinal))?[4..];
        return limit is null || (Bytes(limit) is { } bytes && health.Lag <= bytes);
    }

    private static ulong? Bytes(string text)
    {
        int digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        digits = digits < 0 ? text.Length : digits;
        ulong? unit = text[digits..].ToUpperInvariant() switch { "" or "B" => 1, "KB" => 1024, "MB" => 1024 * 1024, "GB" => 1024 * 1024 * 1024, _ => null };
        return unit is { } factor && ulong.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) && number < ulong.MaxValue / factor
            ? number * factor
            : null;
    }

    private static byte[] Body(AgentHealth health)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            writer.WriteString("state", health.IsRunning ? "running" : "stopped");
            writer.WriteString("role", health.IsPrimary ? "primary" : "replica");
            writer.WriteNumber("node_id", health.Node);
            writer.WriteString("name", health.Name);
            writer.WriteString("agent", health.Role);
            writer.WriteNumber("term", health.Term);
            if (health.Holder is { } holder)
                writer.WriteNumber("holder", holder);
            if (health.LeaseLeft is { } left)
                writer.WriteNumber("lease_seconds", Math.Round(left.TotalSeconds, 3));
            if (health.Lag is { } lag)
                writer.WriteNumber("lag_bytes", lag);
            writer.WriteBoolean("streaming", health.IsStreaming);
            writer.WriteNumber("voters", health.Voters);
            if (health.Commits is { } commits)
                Write(writer, commits, health.IsPrimary);
            writer.WriteEndObject();
        }

        return [.. stream.ToArray(), (byte)'\n'];
    }

    /// <summary>
    /// The timelines that have ended: number, where it ended in bytes, and why; then when the next one began, and who was its primary. Patroni leaves out the last two
    /// where it does not know them.
    /// </summary>
    /// <remarks>https://patroni.readthedocs.io/en/latest/rest_api.html#cluster-status-endpoints</remarks>
    private static byte[] HistoryOf(EndedTimelines timelines)
    {
        using var stream = new MemoryStream();
        // A plus sign is written as one.
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartArray();
            for (int index = 1; index < timelines.Terms?.Lines.Length; index++)
            {
                TermLine line = timelines.Terms.Lines[index];
                // A holder that went on under a higher term wrote on.
                if (line.Promoted != line.Term)
                    continue;
                writer.WriteStartArray();
                writer.WriteNumberValue(timelines.Terms.Lines[index - 1].Timeline);
                writer.WriteNumberValue(line.Begin.Bytes);
                writer.WriteStringValue($"no recovery target specified, term {line.Term}");
                if (timelines.BeganAt(line.Term) is { } began)
                {
                    writer.WriteStringValue(began.ToString("yyyy-MM-ddTHH:mm:ss.ffffffzzz", CultureInfo.InvariantCulture));
                    if (line.Holder is { } holder)
                        writer.WriteStringValue(timelines.NameOf(holder) ?? $"node{holder}");
                }

                writer.WriteEndArray();
            }

            writer.WriteEndArray();
        }

        return [.. stream.ToArray(), (byte)'\n'];
    }

    private static void Write(Utf8JsonWriter writer, CommitProtection commits, bool isPrimary)
    {
        writer.WriteStartObject("synchronous");
        writer.WriteString("mode", commits.Mode.ToString().ToLowerInvariant());
        writer.WriteNumber("wanted", commits.Wanted);
        writer.WriteNumber("count", commits.Count);
        writer.WriteStartArray("nodes");
        foreach (int node in commits.Members)
            writer.WriteNumberValue(node);
        writer.WriteEndArray();
        if (isPrimary)
            writer.WriteBoolean("protected", commits.Unprotected is null);
        if (commits.Unprotected is { } why)
            writer.WriteString("not_protected_because", why);
        writer.WriteEndObject();
    }

    private static string MetricsOf(AgentHealth health)
    {
        var text = new StringBuilder();
        string label = $"{{node_id=\"{health.Node}\"}}";
        Add("repmgr_postgres_running", "Value is 1 if the server of this node answers, 0 otherwise.", health.IsRunning ? 1 : 0);
        Add("repmgr_primary", "Value is 1 if this node is the primary and holds the lease, 0 otherwise.", health.IsPrimary ? 1 : 0);
        Add("repmgr_replica", "Value is 1 if the server of this node replays, 0 otherwise.", health.IsStandby ? 1 : 0);
        Add("repmgr_streaming", "Value is 1 if this node streams from the holder, 0 otherwise.", health.IsStreaming ? 1 : 0);
        Add("repmgr_term", "The highest term that this node knows.", health.Term);
        Add("repmgr_voters", "How many voters the cluster has.", health.Voters);
        if (health.Commits is { } commits)
        {
            Add("repmgr_synchronous_standbys", "How many standbys acknowledge each commit.", commits.Count);
            Add("repmgr_synchronous", "Value is 1 if this node is a synchronous standby, 0 otherwise.", commits.IsMember ? 1 : 0);
            if (health.IsPrimary)
                Add("repmgr_commits_protected", "Value is 1 if nothing is known by which acknowledged commits could be lost, 0 otherwise.", commits.Unprotected is null ? 1 : 0);
        }

        if (health.Lag is { } lag)
            Add("repmgr_lag_bytes", "Bytes behind what the holder last announced.", lag);
        if (health.LeaseLeft is { } left)
            Add("repmgr_lease_seconds", "How long the lease of this node still lasts.", left.TotalSeconds);
        return text.ToString();

        void Add(string name, string help, double value) =>
            text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} gauge\n{name}{label} {value}\n");
    }
}

/// <summary>Which timelines there were.</summary>
/// <param name="Terms">Null: none is known yet.</param>
/// <param name="Began">When this node's agent heard of terms.</param>
/// <param name="NameOf">Of a node.</param>
internal sealed record EndedTimelines(TermHistory? Terms, IReadOnlyList<TermBegan> Began, Func<NodeId, string?> NameOf)
{
    public DateTimeOffset? BeganAt(Term term) => Began.Where(began => began.Term == term).Select(began => (DateTimeOffset?)began.At).FirstOrDefault();
}

using System.Globalization;
using System.Text;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Synchronous;

namespace Repmgr.Engine.Failover;

/// <summary>How a node stands, for load balancers and monitoring.</summary>
/// <param name="Node">Its number.</param>
/// <param name="Name">Its name.</param>
/// <param name="IsRunning">Its server answers.</param>
/// <param name="IsPrimary">It holds a lease and its server takes writes.</param>
/// <param name="IsStandby">Its server replays.</param>
/// <param name="IsStreaming">It streams from the holder.</param>
/// <param name="Lag">Bytes behind what the holder last announced; null: not known.</param>
/// <param name="Term">The highest term it knows; 0 before it is a voter.</param>
/// <param name="Holder">Who holds that term, as far as it knows.</param>
/// <param name="Role">What its agent is about.</param>
/// <param name="LeaseLeft">How long its own lease lasts, where it holds one.</param>
/// <param name="Voters">How many voters there are.</param>
public sealed record AgentHealth(
    int Node, string Name, bool IsRunning, bool IsPrimary, bool IsStandby, bool IsStreaming, ulong? Lag, long Term, int? Holder, string Role,
    TimeSpan? LeaseLeft, int Voters)
{
    /// <summary>What an acknowledged commit is worth, as far as this node knows; null: the cluster does without synchronous standbys.</summary>
    public CommitProtection? Commits { get; init; }
}

/// <summary>What an acknowledged commit is worth (R9, R16).</summary>
/// <param name="Mode"><c>synchronous</c>.</param>
/// <param name="Wanted"><c>synchronous_node_count</c>.</param>
/// <param name="Count">How many standbys acknowledge each commit.</param>
/// <param name="Members">Which ones can.</param>
/// <param name="IsMember">This node is one of them, with these data and under the name that counts.</param>
/// <param name="Unprotected">Why acknowledged commits may be lost; null: nothing is known to speak against it. Only the primary's agent knows.</param>
public sealed record CommitProtection(SyncMode Mode, int Wanted, int Count, IReadOnlyList<int> Members, bool IsMember, string? Unprotected)
{
    internal static CommitProtection? Of(AgentState? state)
    {
        if (state?.Durable.Set is not { Mode: not SyncMode.Off } remembered)
            return null;
        var server = state.Server as ServerView.Writable;
        StampedSet? inForce = state.Role is Role.Holding ? state.Durable.InForce : state.Leader?.InForce;
        SyncSet set = inForce?.Set ?? remembered.Set;
        bool isMember = inForce is not null && state is { Server: ServerView.Recovering { Stamp: { } stamp }, Identity: { } identity }
            && stamp == inForce.Stamp && set.Members.Contains(new SyncMember(state.Node, identity));
        string? unprotected = server is null ? null
            : set.Count == 0 ? "no standby is in the synchronous set: it has one again when it has caught up"
            : server.Unprotected;
        return new CommitProtection(remembered.Mode, remembered.Wanted, set.Count, [.. set.Members.Where(member => !member.IsNobody).Select(member => member.Node.Value)], isMember, unprotected);
    }
}

/// <summary>The paths that load balancers ask, with Patroni's names and status codes.</summary>
/// <remarks>https://patroni.readthedocs.io/en/latest/rest_api.html#health-check-endpoints</remarks>
internal static class HealthPaths
{
    private const string Json = "application/json", Metrics = "text/plain; version=0.0.4; charset=utf-8";

    /// <param name="method">Of HTTP.</param>
    /// <param name="withQuery">The path.</param>
    /// <param name="health">How the node stands.</param>
    /// <param name="history">The term history; null: there is none yet.</param>
    public static ApiReply Answer(string method, string withQuery, AgentHealth health, Func<TermHistory?> history)
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
            "/asynchronous" or "/async" when health.Commits is { IsMember: true } => false,
            "/replica" or "/asynchronous" or "/async" => health is { IsStandby: true, IsStreaming: true } && IsWithin(parts.ElementAtOrDefault(1), health),
            "/read-only" => health.IsPrimary || health is { IsStandby: true, IsStreaming: true },
            "/synchronous" or "/sync" => health is { IsStandby: true, IsStreaming: true, Commits.IsMember: true },
            "/health" => health.IsRunning,
            "/readiness" => health.IsPrimary || health is { IsStandby: true, IsStreaming: true },
            "/liveness" or "/cluster" => true,
            _ => null,
        };
        return new ApiReply(good switch { true => 200, false => 503, null => 404 }, Json, Body(health), null);
    }

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
        using (var writer = new System.Text.Json.Utf8JsonWriter(stream))
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
    /// The timelines that have ended: number, where it ended in bytes, and why; Patroni's form, without the two that it leaves out where it does not know them:
    /// time and leader.
    /// </summary>
    /// <remarks>https://patroni.readthedocs.io/en/latest/rest_api.html#cluster-status-endpoints</remarks>
    private static byte[] HistoryOf(TermHistory? history)
    {
        using var stream = new MemoryStream();
        using (var writer = new System.Text.Json.Utf8JsonWriter(stream))
        {
            writer.WriteStartArray();
            for (int index = 1; index < history?.Lines.Length; index++)
            {
                TermLine line = history.Lines[index];
                // A holder that went on under a higher term wrote on.
                if (line.Promoted != line.Term)
                    continue;
                writer.WriteStartArray();
                writer.WriteNumberValue(history.Lines[index - 1].Timeline);
                writer.WriteNumberValue(line.Begin.Bytes);
                writer.WriteStringValue($"no recovery target specified, term {line.Term}");
                writer.WriteEndArray();
            }

            writer.WriteEndArray();
        }

        return [.. stream.ToArray(), (byte)'\n'];
    }

    private static void Write(System.Text.Json.Utf8JsonWriter writer, CommitProtection commits, bool isPrimary)
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

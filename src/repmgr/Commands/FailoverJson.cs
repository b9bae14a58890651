using System.Text.Json.Serialization;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Failover.Synchronous;

namespace Repmgr.Cli.Commands;

/// <summary>How failover stands, as part of the JSON of several commands.</summary>
internal sealed record FailoverJson(
    long Term,
    int? Holder,
    double? LeaseSeconds,
    bool Paused,
    double? PauseSecondsLeft,
    int Voters,
    int VotersAnswering,
    int Majority,
    string Synchronous,
    int? SynchronousNodeCount,
    string? SynchronousSet,
    double? LeaseTtlSeconds,
    double? AgentRestartGraceSeconds,
    string LeaseStore,
    LeaseStoreJson? Store,
    string Now,
    IReadOnlyList<string> Lacks,
    IReadOnlyList<AgentJson> Agents)
{
    public static FailoverJson Of(AgentsView agents) => new(
        agents.Term.Number,
        agents.Holder?.Node.Value,
        agents.Holder?.LeaseLeft?.TotalSeconds,
        agents.Pause is not null,
        agents.Pause?.Left?.TotalSeconds,
        agents.Membership?.Voters.Count ?? 0,
        agents.Voters.Count(),
        agents.Majority,
        (agents.Set?.Mode.ToString() ?? "Off").ToLowerInvariant(),
        agents.Set is { Mode: not SyncMode.Off } set ? set.Wanted : null,
        agents.Set?.Set.ToString(),
        agents.Times?.Ttl.TotalSeconds,
        agents.Times?.RestartGrace.TotalSeconds,
        agents.Membership?.Store is null ? "peers" : "etcd",
        agents.Membership?.Store is null ? null : LeaseStoreJson.Of(agents.Store),
        agents.Now(),
        agents.Lacks(),
        [.. agents.Answers.Select(AgentJson.Of)]);
}

/// <summary>The store in which the lease lies, as the holder's agent sees it, else any other. Answering is false, and the rest null, when no agent has reached it.</summary>
internal sealed record LeaseStoreJson(string? Place, bool Answering, string? Trouble)
{
    public static LeaseStoreJson Of(StoreReport? store) => new(store?.Place, store is { IsAnswering: true }, store?.Trouble);
}

/// <summary>An agent. When it did not answer, <c>Silence</c> says why, and the rest is null.</summary>
internal sealed record AgentJson(
    int NodeId, string Name, string? Silence, string? Version, int? Pid, bool? Voter, string? Role, string? Waits, long? Term, string? Server, string? Position, int? Upstream,
    string? Ineligible, int? PromisedTo, double? PromiseSecondsLeft, double? HolderSeenSecondsAgo, bool? Watchdog)
{
    public static AgentJson Of(AgentAnswer answer)
    {
        AgentReport? report = answer.Report;
        return new AgentJson(
            answer.Node.Value, answer.Name, answer.Silence, report?.Version, report?.Pid, report?.IsVoter, report?.Role, report?.Waits, report?.Term.Number, report?.Server,
            report?.Position?.ToString(), report?.Upstream?.Value, report?.Ineligible, report?.Promise?.To.Value, report?.Promise?.Left.TotalSeconds,
            report?.HolderHeardAgo?.TotalSeconds, report?.HasWatchdog);
    }
}

/// <summary><c>cluster explain --json</c></summary>
internal sealed record ExplainJson(FailoverJson Failover, IReadOnlyList<DecisionJson> Decisions, IReadOnlyList<WhatIfJson> IfLost);

/// <summary>A decision of an agent.</summary>
internal sealed record DecisionJson(int NodeId, double SecondsAgo, string Rule, string Name, string Evidence, int Times);

/// <summary>What would come of the loss of a node.</summary>
internal sealed record WhatIfJson(int NodeId, string Outcome, int? Primary, string? Gate, string Says);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ExplainJson))]
[JsonSerializable(typeof(ServiceStatusJson))]
internal sealed partial class FailoverJsonContext : JsonSerializerContext;

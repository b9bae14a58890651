using System.Text.Json;
using System.Text.Json.Serialization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Failover.Store;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Postgres;
using Message = Repmgr.Core.Failover.Message;

namespace Repmgr.Engine.Failover;

/// <summary>What an agent keeps in its state directory.</summary>
/// <param name="Version">Of the layout.</param>
/// <param name="Voter">Who this agent is: a state directory that is lost takes the vote with it (R1).</param>
/// <param name="Nodes">How the others were last known to be reached: their servers may all be down when it is needed.</param>
/// <param name="Durable">Null before the node was made a voter.</param>
internal sealed record AgentFile(int Version, VoterId Voter, IReadOnlyList<KnownNode> Nodes, DurableState? Durable)
{
    public const int Current = 1;

    /// <summary>When this agent heard of the terms in its history: for people, nothing is decided by it.</summary>
    public IReadOnlyList<TermBegan>? Began { get; init; }
}

/// <summary>When an agent first remembered a term's history.</summary>
/// <param name="Term">Which.</param>
/// <param name="At">By the wall clock of its host.</param>
internal sealed record TermBegan(Term Term, DateTimeOffset At);

/// <summary>What the store's voter remembers, as it lies in the store (docs/adr/0116).</summary>
/// <param name="Version">Of the layout.</param>
internal sealed record StoredState(int Version, DurableState Durable);

/// <summary>How a node is reached.</summary>
/// <param name="Id">Which.</param>
/// <param name="Name">Its name.</param>
/// <param name="Conninfo">Its registered connection string, which never holds a password.</param>
/// <param name="Address">Where its agent listens: <c>host:port</c>.</param>
internal sealed record KnownNode(NodeId Id, string Name, string Conninfo, string Address);

/// <summary>The first membership of a cluster, as the primary's agent writes it into the database (docs/adr/0096).</summary>
internal sealed record FoundingDocument(NodeId Holder, int Timeline, IReadOnlyList<FoundingVoter> Voters)
{
    /// <summary>Null: commits wait for no standby.</summary>
    public FoundingSet? Synchronous { get; init; }

    /// <summary>The times of the founder's file, which from then on are the cluster's (R13); null: it was founded before they were agreed on.</summary>
    public AgreedTimes? Times { get; init; }
}

/// <summary>How commits are to be acknowledged: it begins with a set of nobody but the holder, and grows as standbys stream (R9).</summary>
/// <param name="Data">The identity of the holder's data.</param>
internal sealed record FoundingSet(SyncMode Mode, int Count, ulong Data);

internal sealed record FoundingVoter(VoterId Id, bool HasData, string Address);

/// <summary>A message as it travels: one of the last fields is set.</summary>
internal sealed record WireMessage
{
    public required VoterId From { get; init; }

    public required NodeId To { get; init; }

    public Message.Renew? Renew { get; init; }

    public Message.Renewed? Renewed { get; init; }

    public Message.Superseded? Superseded { get; init; }

    public Message.Resign? Resign { get; init; }

    public Message.AskBallot? AskBallot { get; init; }

    public Message.Ballot? Ballot { get; init; }

    public Message.AskVote? AskVote { get; init; }

    public Message.Vote? Vote { get; init; }

    public static WireMessage Of(Envelope envelope)
    {
        var wire = new WireMessage { From = envelope.From, To = envelope.To };
        return envelope.Message switch
        {
            Message.Renew message => wire with { Renew = message },
            Message.Renewed message => wire with { Renewed = message },
            Message.Superseded message => wire with { Superseded = message },
            Message.Resign message => wire with { Resign = message },
            Message.AskBallot message => wire with { AskBallot = message },
            Message.Ballot message => wire with { Ballot = message },
            Message.AskVote message => wire with { AskVote = message },
            Message.Vote message => wire with { Vote = message },
            _ => throw new ArgumentException($"a message of no known kind: {envelope.Message.GetType().Name}", nameof(envelope)),
        };
    }

    /// <summary>What an agent sent; null: it is no message, or none that this version knows.</summary>
    public static Envelope? Read(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, AgentJson.Default.WireMessage)?.Envelope();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Null: it holds nothing that this version knows.</summary>
    public Envelope? Envelope()
    {
        Message? message = (Message?)Renew ?? (Message?)Renewed ?? (Message?)Superseded ?? (Message?)Resign
            ?? (Message?)AskBallot ?? (Message?)Ballot ?? (Message?)AskVote ?? Vote;
        return message is null ? null : new Envelope(From, To, message);
    }
}

/// <summary>An operator's request as it travels: one of the fields is set.</summary>
internal sealed record WireRequest
{
    /// <summary>Begin a pause of this length.</summary>
    public TimeSpan? Pause { get; init; }

    public bool Resume { get; init; }

    public bool ResumeWithoutHolder { get; init; }

    /// <summary>To whom the primary's role is to be given.</summary>
    public NodeId? HandOver { get; init; }

    public Request.GoOnWithoutMajority? WithoutMajority { get; init; }

    public Request.SetSynchronous? Synchronous { get; init; }

    public AgreedTimes? Times { get; init; }

    public static WireRequest Of(Request request) => request switch
    {
        Request.Pause pause => new WireRequest { Pause = pause.Length },
        Request.Resume => new WireRequest { Resume = true },
        Request.ResumeWithoutHolder => new WireRequest { ResumeWithoutHolder = true },
        Request.HandOver handOver => new WireRequest { HandOver = handOver.Successor },
        Request.GoOnWithoutMajority go => new WireRequest { WithoutMajority = go },
        Request.SetSynchronous set => new WireRequest { Synchronous = set },
        Request.SetTimes set => new WireRequest { Times = set.Times },
        _ => throw new ArgumentException($"{request.GetType().Name} is not asked from outside", nameof(request)),
    };

    /// <summary>Null: it is none that this version knows.</summary>
    public Request? Asked() => this switch
    {
        { Pause: { } length } when length > TimeSpan.Zero => new Request.Pause(length),
        { Resume: true } => new Request.Resume(),
        { ResumeWithoutHolder: true } => new Request.ResumeWithoutHolder(),
        { HandOver: { } successor } => new Request.HandOver(successor),
        { WithoutMajority: { Reachable: not null } go } => go,
        { Synchronous: { Count: >= 1 } set } => set,
        { Times: { } times } when times.Ttl > TimeSpan.Zero && times.RestartGrace >= TimeSpan.Zero => new Request.SetTimes(times),
        _ => null,
    };
}

/// <summary>Who answers, and whether it is ready to be a voter.</summary>
internal sealed record AgentGreeting(VoterId Voter, string Version, bool IsVoter)
{
    /// <summary>The term history by which its server writes, of an agent that holds the lease; null: it does not.</summary>
    public TermHistory? Holds { get; init; }
}

/// <summary>The JSON of agents: in their state directories and between them.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true,
    IgnoreReadOnlyProperties = true,
    Converters = [typeof(TermText), typeof(NodeIdText), typeof(LsnText), typeof(TermHistoryText)])]
[JsonSerializable(typeof(AgentFile))]
[JsonSerializable(typeof(StoredState))]
[JsonSerializable(typeof(StoredPromise))]
[JsonSerializable(typeof(WireMessage))]
[JsonSerializable(typeof(FoundingDocument))]
[JsonSerializable(typeof(AgentGreeting))]
[JsonSerializable(typeof(AgentReport))]
[JsonSerializable(typeof(WireRequest))]
[JsonSerializable(typeof(Reply))]
[JsonSerializable(typeof(ReachRow))]
[JsonSerializable(typeof(ReachRow[]))]
[JsonSerializable(typeof(TermLine[]))]
internal sealed partial class AgentJson : JsonSerializerContext;

internal sealed class TermText : JsonConverter<Term>
{
    public override Term Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetInt64());

    public override void Write(Utf8JsonWriter writer, Term value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Number);
}

internal sealed class NodeIdText : JsonConverter<NodeId>
{
    public override NodeId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetInt32());

    public override void Write(Utf8JsonWriter writer, NodeId value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Value);
}

internal sealed class LsnText : JsonConverter<Lsn>
{
    public override Lsn Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Lsn.TryParse(reader.GetString(), out Lsn lsn) ? lsn : throw new JsonException("no position in the WAL");

    public override void Write(Utf8JsonWriter writer, Lsn value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

internal sealed class TermHistoryText : JsonConverter<TermHistory>
{
    public override TermHistory Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        JsonSerializer.Deserialize(ref reader, AgentJson.Default.TermLineArray) is [_, ..] lines
            ? new TermHistory([.. lines])
            : throw new JsonException("a term history without lines");

    public override void Write(Utf8JsonWriter writer, TermHistory value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(writer, [.. value.Lines], AgentJson.Default.TermLineArray);
}

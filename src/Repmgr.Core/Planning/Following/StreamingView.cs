using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;

namespace Repmgr.Core.Planning.Following;

/// <summary>Whether a standby streams from a server, as both of them say.</summary>
/// <param name="Standby">The standby.</param>
/// <param name="Source">Where it was told to stream from; null: its agent tells it, under names and slots of the agent's own.</param>
/// <param name="Here">What the standby answered.</param>
/// <param name="There">What the server answered that it is to stream from.</param>
public sealed record StreamingView(NodeRecord Standby, ReplicationSource? Source, NodeProbe Here, NodeProbe There)
{
    public int? UpstreamTimeline => There.Running?.Timeline;

    public bool IsStreaming => !Missing.Any();

    /// <summary>How far the upstream has sent, while the standby catches up; null when it does not.</summary>
    public Lsn? CaughtUpTo => Senders.FirstOrDefault(sender => sender.State == "catchup")?.Sent;

    private IEnumerable<WalSenderFacts> Senders => There.Running?.Downstreams.Where(sender => Source is null ? sender.IsOf(Standby) : sender.ApplicationName == Standby.Name) ?? [];

    /// <summary>What keeps it from being so, as clauses; empty when it is.</summary>
    public IEnumerable<string> Missing
    {
        get
        {
            switch (Here)
            {
                case NodeProbe.Standby { Receiver: null }:
                    yield return "the standby runs no WAL receiver";
                    break;
                case NodeProbe.Standby { Receiver: { } receiver }:
                    foreach (string clause in MissingOf(receiver))
                        yield return clause;
                    break;
                case NodeProbe.Primary:
                    yield return "the standby is a primary now";
                    break;
                default:
                    yield return $"the standby does not answer ({Here.Obstacle})";
                    break;
            }

            if (There.Running is null)
                yield return $"the upstream does not answer ({There.Obstacle})";
            else if (!Senders.Any())
                yield return $"the upstream serves no standby named \"{Standby.Name}\"";
            else if (Senders.All(sender => sender.State != "streaming"))
                yield return $"the upstream's WAL sender is in state {string.Join(", ", Senders.Select(sender => sender.State ?? "(not visible)"))}";
        }
    }

    private IEnumerable<string> MissingOf(WalReceiverFacts receiver)
    {
        if (receiver.Status != "streaming")
            yield return $"the standby's WAL receiver is in state {receiver.Status ?? "(not visible)"}";
        if (UpstreamTimeline is { } timeline && receiver.Timeline != timeline)
            yield return $"it receives timeline {receiver.Timeline?.ToString() ?? "(unknown)"}, and the upstream is on {timeline}";
        if (Source is null)
            yield break;
        if (!IsAt(receiver.SenderHost, Source.PrimaryConninfo["host"], Source.PrimaryConninfo["hostaddr"]) || !IsAtPort(receiver.SenderPort))
            yield return $"it is connected to {receiver.SenderHost}:{receiver.SenderPort}";
        if (receiver.SlotName != Source.SlotName)
            yield return $"it uses {(receiver.SlotName is { } slot ? $"slot \"{slot}\"" : "no slot")}";
    }

    // The receiver names one of the hosts as the string has it. A string without a host leaves it to libpq's surroundings.
    private static bool IsAt(string? connected, params string?[] told)
    {
        List<string> hosts = [.. told.Where(list => list is not null).SelectMany(list => list!.Split(','))];
        return hosts.Count == 0 || (connected is not null && hosts.Contains(connected));
    }

    private bool IsAtPort(int? connected) =>
        Source!.PrimaryConninfo["port"] is not { Length: > 0 } ports || ports.Split(',').Any(port => port == connected?.ToString());
}

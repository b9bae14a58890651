namespace Repmgr.Core.Failover;

/// <summary>An operator's request (R18).</summary>
internal static class Requests
{
    public static void Take(Draft turn, Request request)
    {
        string? refusal = request switch
        {
            Request.ResumeWithoutHolder => Pausing.EndWithoutHolder(turn),
            Request.GoOnWithoutMajority go => WithoutMajority.Begin(turn, go.Reachable, go.Known),
            _ when turn.State.Role is not Role.Holding { Stage: HoldingStage.Serving or HoldingStage.Waiting, Affirming: null } => NotHolder(turn),
            Request.Pause pause => Pausing.Begin(turn, pause.Length),
            Request.Resume => Pausing.EndByOrder(turn),
            Request.HandOver handOver => HandingOver.Begin(turn, handOver.Successor),
            Request.AdmitVoter admit => Members.Admit(turn, admit.Id, admit.HasData),
            Request.RemoveVoter remove => Members.Remove(turn, remove.Id),
            Request.SetTimes set => Members.SetTimes(turn, set.Times),
            Request.SetSynchronous set => CommitFence.Choose(turn, set.Mode, set.Count),
            _ => "The agent does not know this request.",
        };
        turn.Record(refusal is null ? "Accepted" : "Refused", "R18", refusal is null ? $"{request}" : $"{request}: {refusal}");
        turn.Reply = new Reply(refusal) { IsPassing = refusal is CommitFence.Unconfirmed or Members.Unconfirmed };
    }

    private static string NotHolder(Draft turn) => turn.State.Leader is { } leader
        ? $"Node {leader.Node} holds the lease: ask its agent."
        : "No node is known to hold the lease.";
}

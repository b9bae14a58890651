using Repmgr.Core.Failover;
using Repmgr.Core.Problems;

namespace Repmgr.Engine.Failover;

/// <summary>What a step is called in the log.</summary>
internal static class StepText
{
    public static string Of(AgentStep step) => step switch
    {
        AgentStep.Fence => "take the server out of service",
        AgentStep.CutReceiver => "end the WAL receiver",
        AgentStep.FetchWal fetch => $"fetch WAL from node {fetch.From}",
        AgentStep.StartServer => "start the server",
        AgentStep.Promote promote => $"promote the server in term {promote.Term}",
        AgentStep.Follow follow => $"follow node {follow.Holder} in term {follow.Term}",
        AgentStep.SetSynchronous set => $"let commits wait for {set.Set.Set}, under {set.Set.Stamp}",
        AgentStep.PrepareHandOver prepare => $"prepare to hand over to node {prepare.Successor}",
        AgentStep.Rebuild rebuild => $"make the data anew from node {rebuild.Holder}",
        _ => "end",
    };
}

/// <summary>What a change of role is called in the log.</summary>
internal static class EdgeText
{
    public static LogLine Of(Edge edge)
    {
        (Severity severity, string text) = edge.Name switch
        {
            "Promoted" => (Severity.Notice, "this node is the primary now"),
            "Promotes" => (Severity.Notice, "this node is promoted"),
            "Elected" => (Severity.Notice, "this node was elected"),
            "GoesAlone" => (Severity.Warning, "this node goes on alone, one of two voters: the other is silent, and commits nothing without it"),
            "Stands" => (Severity.Notice, "this node stands for election"),
            "AsksForVotes" => (Severity.Info, "this node asks for votes"),
            "Fetches" => (Severity.Notice, "this node fetches WAL that it lacks before it stands for election"),
            "Fetched" => (Severity.Notice, "the WAL was fetched"),
            "NotFetched" => (Severity.Warning, "the WAL could not be fetched"),
            "Resumes" => (Severity.Notice, "this node goes on as the primary"),
            "Affirms" => (Severity.Notice, "this node stands for a higher term, to stay the primary"),
            "Affirmed" => (Severity.Notice, "this node stays the primary"),
            "Fenced" when edge.Rule == "R14" => (Severity.Notice, "the pause is over, and this node, whose server does not write, gives its role back"),
            "Fenced" => (Severity.Notice, "the server is out of service: no process of it is left"),
            "LeaseEnds" => (Severity.Warning, "the lease ends, and the server is taken out of service"),
            "ServerDied" => (Severity.Warning, "the server of this primary has ended or hangs; its lease is given back"),
            "HandsOver" => (Severity.Notice, "this primary gives its role to another node, as it was asked to; its server is stopped"),
            "Waits" => (Severity.Notice, "the server of this paused primary does not write; nothing is done until the pause is over"),
            "HigherHolder" => (Severity.Warning, "another node is the primary now, and the server is taken out of service"),
            "WritableWithoutLease" => (Severity.Warning, "the server takes writes without a lease, and is taken out of service"),
            "Hangs" => (Severity.Warning, "the server hangs, and is taken out of service"),
            "CannotResume" => (Severity.Warning, "the lease of this primary has ended, and the server is taken out of service"),
            "PromotionFailed" or "PromotionTooSlow" => (Severity.Error, "the promotion failed, and the server is taken out of service"),
            "NotPromoted" => (Severity.Warning, "this node was elected and could not be promoted"),
            "NoMajority" => (Severity.Warning, "no election: too few voters are free"),
            "NoQuorum" => (Severity.Warning, "no election: too few of those answer that have every acknowledged commit"),
            "NotEligible" => (Severity.Info, "no election by this node: it cannot become primary"),
            "IsBehind" => (Severity.Warning, "no election by this node: others have newer data that could not be fetched"),
            "Asks" => (Severity.Info, "this node asks whether there is to be an election"),
            "LetsBetterStand" => (Severity.Info, "this node lets a better candidate stand first"),
            "VotesForOther" => (Severity.Info, "this node votes for another"),
            "CannotStand" or "NotElected" => (Severity.Notice, "this node was not elected"),
            "Superseded" => (Severity.Notice, "another node was elected for a higher term"),
            "HolderAppears" => (Severity.Notice, "there is a primary"),
            _ => (Severity.Info, $"{edge.From} to {edge.To} ({edge.Name})"),
        };
        return new LogLine(severity, text, edge.Evidence.Length > 0 ? $"{edge.Rule}: {edge.Evidence}." : null);
    }
}

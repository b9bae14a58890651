using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Reports;

namespace Repmgr.Tests.Failover.Reports;

/// <summary>Of whom a command asks what, and when it does not.</summary>
public sealed class RequestChoiceTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public void Pause_and_its_end_are_asked_of_the_holder()
    {
        Assert.Equal([new NodeId(1)], Assert.IsType<RequestChoice.Ask>(RequestChoice.Pause(Agents.View(), Hour)).Of);
        Assert.Equal(new Request.Resume(), Assert.IsType<RequestChoice.Ask>(RequestChoice.Unpause(Agents.View(Agents.Paused))).Request);
        Assert.Contains("paused already", Refusal(RequestChoice.Pause(Agents.View(Agents.Paused), Hour)), StringComparison.Ordinal);
        Assert.Contains("not paused", Refusal(RequestChoice.Unpause(Agents.View())), StringComparison.Ordinal);
        Assert.Contains("no node holds the lease", Refusal(RequestChoice.Pause(Without(1), Hour)), StringComparison.Ordinal);
        Assert.Contains("no agent answers", Refusal(RequestChoice.Unpause(Agents.View(_ => null))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_pause_whose_holder_does_not_answer_is_ended_only_on_the_operators_word()
    {
        AgentsView lost = Lost();
        Assert.Contains("only it can end the pause", Refusal(RequestChoice.Unpause(lost)), StringComparison.Ordinal);
        var ask = Assert.IsType<RequestChoice.Ask>(RequestChoice.UnpauseWithoutHolder(lost, [new NodeId(2), new NodeId(3)]));
        Assert.Equal([new NodeId(2), new NodeId(3)], ask.Of);
        Assert.Equal(new Request.ResumeWithoutHolder(), ask.Request);
    }

    [Fact]
    public void And_not_while_anything_still_reaches_it_13()
    {
        Assert.Contains("without --holder-is-down", RefusalHint(RequestChoice.UnpauseWithoutHolder(Agents.View(Agents.Paused), [])), StringComparison.Ordinal);
        // Its server answers, though its agent does not; a standby still receives; an agent heard it a moment ago.
        Assert.Contains("not seen to be down", Refusal(RequestChoice.UnpauseWithoutHolder(Lost(), [new NodeId(1)])), StringComparison.Ordinal);
        Assert.Contains("not seen to be down", Refusal(RequestChoice.UnpauseWithoutHolder(Lost(upstream: 1), [])), StringComparison.Ordinal);
        Assert.Contains("not seen to be down", Refusal(RequestChoice.UnpauseWithoutHolder(Lost(heardSecondsAgo: 1), [])), StringComparison.Ordinal);
    }

    [Fact]
    public void To_be_promoted_is_asked_of_the_holder_by_a_node_that_can()
    {
        var ask = Assert.IsType<RequestChoice.Ask>(RequestChoice.Promote(Agents.View(), new NodeId(2), isForced: false));
        Assert.Equal((new NodeId(1), new Request.HandOver(new NodeId(2))), (ask.Of[0], ask.Request));
        Assert.Contains("is the primary already", Refusal(RequestChoice.Promote(Agents.View(), new NodeId(1), false)), StringComparison.Ordinal);
        Assert.Contains("failover is paused", Refusal(RequestChoice.Promote(Agents.View(Agents.Paused), new NodeId(2), false)), StringComparison.Ordinal);
        Assert.Contains("cannot become primary", Refusal(RequestChoice.Promote(Agents.View(report => report with { Ineligible = "its priority is 0" }), new NodeId(2), false)), StringComparison.Ordinal);
        Assert.Contains("does not answer", Refusal(RequestChoice.Promote(Without(2), new NodeId(2), false)), StringComparison.Ordinal);
        Assert.IsType<RequestChoice.Wait>(RequestChoice.Promote(Without(1), new NodeId(2), false));
        Assert.Contains("--without-majority", RefusalHint(RequestChoice.Promote(Agents.View(report => report.Node == new NodeId(2) ? report : null), new NodeId(2), false)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_node_that_lags_far_behind_takes_over_only_by_force()
    {
        AgentsView far = Agents.View(report => report.Node == new NodeId(1) ? report with { Position = OneAgent.At(1UL << 30) } : report);
        Assert.Contains("lags too far behind", Refusal(RequestChoice.Promote(far, new NodeId(2), isForced: false)), StringComparison.Ordinal);
        Assert.IsType<RequestChoice.Ask>(RequestChoice.Promote(far, new NodeId(2), isForced: true));
    }

    private static AgentsView Without(int silent) => Agents.View(report => Agents.Unless(report, silent));

    private static AgentsView Lost(int? upstream = null, double heardSecondsAgo = 60) => Agents.View(report => Agents.Unless(report, 1) is { } left
        ? Agents.Paused(left) with { Upstream = upstream is { } node ? new NodeId(node) : null, HolderHeardAgo = TimeSpan.FromSeconds(heardSecondsAgo), Promise = null }
        : null);

    private static string Refusal(RequestChoice choice) => Assert.IsType<RequestChoice.Refused>(choice).Problem.Message;

    private static string? RefusalHint(RequestChoice choice) => Assert.IsType<RequestChoice.Refused>(choice).Problem.Hint;
}

using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Cluster;

/// <summary>Why a server could not be asked, as a problem with its exit code.</summary>
public static class ConnectionProblem
{
    /// <param name="probe">What came of the look: <see cref="NodeProbe.Silent"/> or <see cref="NodeProbe.Rejected"/>.</param>
    /// <param name="node">The node's name.</param>
    /// <param name="conninfo">What was used. Shown without secrets.</param>
    public static (Problem Problem, ExitCode ExitCode) From(NodeProbe probe, string node, Conninfo conninfo) => probe switch
    {
        // 28P01 is invalid_password, 28000 invalid_authorization_specification: https://www.postgresql.org/docs/current/errcodes-appendix.html
        NodeProbe.Rejected { SqlState: "28P01" } rejected => (
            new Problem(
                $"the password for node \"{node}\" was rejected",
                Detail: $"{Sentence(rejected.Reason)} Tried with: {conninfo}",
                Hint: "Correct the password file (~/.pgpass) of the operating system's user that runs repmgr."),
            ExitCode.MonitoringTimeoutOrBadPassword),
        NodeProbe.Rejected rejected => (
            new Problem(
                $"node \"{node}\" does not let us in",
                Detail: $"{Sentence(rejected.Reason)} Tried with: {conninfo}",
                Hint: rejected.SqlState == "28000" ? "Add a line for repmgr's role and database to pg_hba.conf on that node." : null),
            ExitCode.DbConnection),
        NodeProbe.Silent silent => (
            new Problem(
                $"node \"{node}\" cannot be reached",
                Detail: $"{Sentence(silent.Reason)} Tried with: {conninfo}",
                Hint: "Check that the server runs, and that conninfo in repmgr.conf leads to it."),
            ExitCode.DbConnection),
        _ => throw new ArgumentException("the node was reached", nameof(probe)),
    };

    private static string Sentence(string reason) => reason.Length == 0 || reason[^1] is '.' or '!' ? reason : $"{reason}.";
}

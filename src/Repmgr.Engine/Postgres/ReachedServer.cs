using System.Globalization;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Engine.Postgres;

/// <summary>A server that a session has reached, as one that others are to reach too.</summary>
internal static class ReachedServer
{
    /// <summary>How it is reached again. What was taken from the environment or a service file is made explicit, and of several hosts one is left.</summary>
    public static Conninfo Of(PostgresConnector connector, Conninfo conninfo, PostgresSession session)
    {
        Conninfo reached = connector.Explicit(conninfo).Without("hostaddr")
            .With("host", session.Host.Host)
            .With("port", session.Host.Port.ToString(CultureInfo.InvariantCulture))
            .With("user", session.User).With("dbname", session.Database);
        return session.Host.Address is { } address ? reached.With("hostaddr", address) : reached;
    }

    /// <summary>For messages: its host, and its port where that is not the usual one.</summary>
    public static string Name(PostgresSession session) =>
        session.Host.Port == 5432 ? session.Host.Host : string.Create(CultureInfo.InvariantCulture, $"{session.Host.Host}:{session.Host.Port}");

    /// <summary>Why a server was not reached.</summary>
    /// <param name="what">Which: <c>the source</c>.</param>
    /// <param name="conninfo">How it was tried.</param>
    /// <param name="result">What came of it.</param>
    /// <param name="hint">What else to do than to try it by hand.</param>
    public static (Problem Problem, ExitCode ExitCode) WhyNot(string what, Conninfo conninfo, ConnectResult result, string? hint = null) => (
        new Problem(
            $"could not connect to {what}",
            result.Failure,
            hint ?? (result is ConnectResult.Rejected
                ? "Check the role, its password (~/.pgpass) and the server's pg_hba.conf."
                : $"Try the same with psql: psql \"{conninfo}\"")),
        result is ConnectResult.Rejected { SqlState: "28P01" } ? ExitCode.MonitoringTimeoutOrBadPassword : ExitCode.DbConnection);
}

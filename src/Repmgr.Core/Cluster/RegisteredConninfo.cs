using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Cluster;

/// <summary>The conninfo that is stored in <c>repmgr.nodes</c>, by which every other node reaches this one.</summary>
/// <param name="Conninfo">Without secrets, and without what only this machine's environment said.</param>
/// <param name="Notices">What is different from the configuration file, and why.</param>
public sealed record RegisteredConninfo(Conninfo Conninfo, IReadOnlyList<Problem> Notices)
{
    // libpq takes these from the environment where the string is silent; another node's environment says something else.
    // https://www.postgresql.org/docs/current/libpq-envars.html
    private static readonly (string Keyword, string Variable)[] FromEnvironment =
        [("host", "PGHOST"), ("port", "PGPORT"), ("user", "PGUSER"), ("dbname", "PGDATABASE")];

    /// <param name="given"><c>conninfo</c> of the configuration file.</param>
    /// <param name="environment">Looks an environment variable up; null when it is not set.</param>
    public static RegisteredConninfo From(Conninfo given, Func<string, string?> environment)
    {
        List<Problem> notices = [];
        Conninfo conninfo = given.WithoutSecrets();
        if (!conninfo.Equals(given))
        {
            notices.Add(new Problem(
                "the password in conninfo is not registered",
                Detail: "The table of nodes is replicated and can be read by others.",
                Hint: "Put the password into the password file (~/.pgpass) of the operating system's user on every node."));
        }

        foreach ((string keyword, string variable) in FromEnvironment)
        {
            bool isGiven = conninfo[keyword] is not null || (keyword == "host" && conninfo["hostaddr"] is not null) || conninfo["service"] is not null;
            if (isGiven || environment(variable) is not { Length: > 0 } value)
                continue;

            conninfo = conninfo.With(keyword, value);
            notices.Add(new Problem(
                $"registering conninfo with {keyword}={value}, which comes from {variable}",
                Hint: $"Write it into conninfo in repmgr.conf, so that it does not depend on the environment."));
        }

        if (conninfo["host"] is null && conninfo["hostaddr"] is null && conninfo["service"] is null)
        {
            notices.Add(new Problem(
                "conninfo names no host",
                Detail: "Other nodes will look for this server on their own machine.",
                Hint: "Add host=... to conninfo in repmgr.conf, unless all nodes run on this machine."));
        }

        return new RegisteredConninfo(conninfo, notices);
    }
}

using Repmgr.Core.Postgres;

namespace Repmgr.Engine.Processes;

/// <summary>What other programs find in their environment besides what is in ours. Decided here and nowhere else.</summary>
internal static class ProgramEnvironment
{
    // The rest is inherited: operators set what ssh, rsync and libpq are to find.
    private static readonly Dictionary<string, string?> ForAll = HomeDirectory.OfThisUser() is { } home ? new() { ["HOME"] = home } : [];

    /// <summary>Messages in English and without colours, for output that is read by us.</summary>
    public static IReadOnlyDictionary<string, string?> PlainMessages { get; } = new Dictionary<string, string?> { ["LC_ALL"] = "C", ["PG_COLOR"] = "never" };

    /// <summary>For a program of PostgreSQL's that connects: it is given the connection string without the password, which must not show up in the list of processes.</summary>
    public static IReadOnlyDictionary<string, string?> Connecting(Conninfo conninfo) => conninfo["password"] is { Length: > 0 } password
        ? new Dictionary<string, string?>(PlainMessages) { ["PGPASSWORD"] = password }
        : PlainMessages;

    /// <summary>What every program gets, and over it what this one does; null removes a variable.</summary>
    public static IReadOnlyDictionary<string, string?> With(IReadOnlyDictionary<string, string?>? more)
    {
        var all = new Dictionary<string, string?>(ForAll);
        foreach ((string name, string? value) in more ?? new Dictionary<string, string?>())
            all[name] = value;
        return all;
    }
}

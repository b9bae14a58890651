using Repmgr.Core.Postgres;

namespace Repmgr.Core.Checks;

/// <summary>How missing rights are told: the statements that give them, and where they are to be run.</summary>
internal static class Grants
{
    /// <summary>For a problem's detail.</summary>
    public static string Missing(IEnumerable<string> statements) => $"Missing, in the words that grant it:\n  {string.Join("\n  ", statements)}";

    /// <summary>
    /// For its hint. The database is named because rights on functions, schemas and tables hold in one database, also those on the
    /// functions of <c>pg_catalog</c>; the primary, because a standby takes no GRANT.
    /// </summary>
    public static string RunThem(string database) => $"Run these statements as a superuser in database \"{database}\" of the primary.";

    public static string Promote(string role) => OnFunction("pg_promote(boolean, integer)", role);

    public static string OnFunction(string signature, string role) => $"GRANT EXECUTE ON FUNCTION pg_catalog.{signature} TO {SqlText.Name(role)};";

    /// <summary>What lets a role point a standby elsewhere by SQL.</summary>
    public static IReadOnlyList<string> Repoint(string role) =>
    [
        $"GRANT ALTER SYSTEM ON PARAMETER primary_conninfo, primary_slot_name TO {SqlText.Name(role)}; -- PostgreSQL 15 or newer",
        OnFunction("pg_reload_conf()", role),
    ];
}

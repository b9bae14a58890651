namespace Repmgr.Core.Postgres;

/// <summary>Names and strings inside SQL text, for statements that take no parameters (DDL, and SQL shown to the operator).</summary>
/// <remarks>https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS</remarks>
public static class SqlText
{
    /// <summary>Longer names are cut by the server (NAMEDATALEN - 1 bytes).</summary>
    public const int LongestNameBytes = 63;

    /// <summary>A name in double quotes, whatever it contains.</summary>
    public static string Name(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>A string constant that means the same whatever <c>standard_conforming_strings</c> says.</summary>
    public static string Literal(string value)
    {
        string quoted = $"'{value.Replace("'", "''", StringComparison.Ordinal)}'";
        return value.Contains('\\') ? $" E{quoted.Replace(@"\", @"\\", StringComparison.Ordinal)}" : quoted;
    }
}

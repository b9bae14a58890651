using System.Text;

namespace Repmgr.Core.Postgres;

/// <summary>A password file: lines of <c>host:port:database:user:password</c>; <c>*</c> matches anything, a backslash escapes a colon or backslash.</summary>
/// <remarks>https://www.postgresql.org/docs/current/libpq-pgpass.html</remarks>
public static class PasswordFile
{
    /// <summary>The password of the first line that matches, or null.</summary>
    /// <param name="text">The file.</param>
    /// <param name="host">The host name; <c>localhost</c> for a socket in the default directory.</param>
    /// <param name="port">The port.</param>
    /// <param name="database">The database; <c>replication</c> for a replication connection.</param>
    /// <param name="user">The role.</param>
    public static string? Find(string text, string host, int port, string database, string user)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] wanted = [host, port.ToString(System.Globalization.CultureInfo.InvariantCulture), database, user];
        foreach (string line in text.Split('\n'))
        {
            if (Match(line.TrimEnd('\r'), wanted) is { } password)
                return password;
        }

        return null;
    }

    private static string? Match(string line, string[] wanted)
    {
        if (line.Length == 0 || line[0] == '#')
            return null;

        int at = 0;
        foreach (string want in wanted)
        {
            int start = at;
            if (ReadField(line, ref at) is not { } field || at >= line.Length || line[at] != ':')
                return null;
            bool anything = line.AsSpan(start, at - start) is "*";
            if (!anything && field != want)
                return null;
            at++;
        }

        return ReadField(line, ref at);
    }

    private static string? ReadField(string line, ref int at)
    {
        StringBuilder field = new();
        for (; at < line.Length && line[at] != ':'; at++)
        {
            if (line[at] == '\\' && at + 1 < line.Length)
                at++;
            field.Append(line[at]);
        }

        return field.ToString();
    }
}

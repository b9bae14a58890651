using System.Globalization;
using System.Text;

namespace Repmgr.Core.Cloning;

/// <summary>The file <c>tablespace_map</c>: one link per line, from which the server makes <c>pg_tblspc</c> anew when it starts from a backup.</summary>
/// <remarks>https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP</remarks>
public static class TablespaceMap
{
    /// <summary>The text for links that point to <paramref name="destination"/> of each tablespace; null when there is none.</summary>
    public static string? Write(IEnumerable<TablespaceView> tablespaces, Func<string, string> destination)
    {
        var text = new StringBuilder();
        foreach (TablespaceView space in tablespaces.Where(space => !space.InPlace))
            text.Append(CultureInfo.InvariantCulture, $"{space.Oid} {Escape(destination(space.Location))}\n");
        return text.Length == 0 ? null : text.ToString();
    }

    /// <summary>The tablespaces in the text that <c>pg_backup_stop</c> returns.</summary>
    public static IReadOnlyDictionary<uint, string> Read(string text)
    {
        var map = new Dictionary<uint, string>();
        var line = new StringBuilder();
        bool escaped = false;
        foreach (char c in text + "\n")
        {
            if (escaped)
                (_, escaped) = (line.Append(c), false);
            else if (c == '\\')
                escaped = true;
            else if (c is not ('\n' or '\r'))
                line.Append(c);
            else
                Add(map, line);
        }

        return map;
    }

    private static void Add(Dictionary<uint, string> map, StringBuilder line)
    {
        string text = line.ToString();
        line.Clear();
        int space = text.IndexOf(' ', StringComparison.Ordinal);
        if (space > 0 && uint.TryParse(text.AsSpan(0, space), NumberStyles.None, CultureInfo.InvariantCulture, out uint oid))
            map[oid] = text[(space + 1)..];
    }

    // A backslash before a line end, a carriage return or a backslash, as the server writes and reads it.
    private static string Escape(string path) => path
        .Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("\n", "\\\n", StringComparison.Ordinal)
        .Replace("\r", "\\\r", StringComparison.Ordinal);
}

using System.Text;

namespace Repmgr.Core.Settings;

/// <summary>Where a tablespace of the source goes on this node.</summary>
/// <param name="Old">Its absolute path on the source.</param>
/// <param name="New">Its absolute path here.</param>
/// <remarks>The form of https://www.postgresql.org/docs/current/app-pgbasebackup.html (<c>--tablespace-mapping</c>).</remarks>
public sealed record TablespaceMapping(string Old, string New)
{
    /// <summary><c>OLD=NEW</c>, a <c>=</c> inside a path escaped.</summary>
    public override string ToString() => $"{Escape(Old)}={Escape(New)}";

    public static bool TryParse(string text, out TablespaceMapping? mapping)
    {
        ArgumentNullException.ThrowIfNull(text);
        mapping = null;
        List<string> paths = [];
        StringBuilder path = new();
        for (int i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '\\' when i + 1 < text.Length && text[i + 1] == '=':
                    path.Append(text[++i]);
                    break;
                case '=':
                    paths.Add(path.ToString());
                    path.Clear();
                    break;
                default:
                    path.Append(text[i]);
                    break;
            }
        }

        paths.Add(path.ToString());
        if (paths is not [['/', ..] old, ['/', ..] @new])
            return false;

        mapping = new TablespaceMapping(old, @new);
        return true;
    }

    private static string Escape(string path) => path.Replace("=", "\\=", StringComparison.Ordinal);
}

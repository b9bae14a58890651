using System.Globalization;

namespace Repmgr.Core.Cloning.Direct;

/// <summary>What the name of a file says of the relation whose pages it holds.</summary>
/// <param name="Directory">The database's directory: <c>base/5</c>, <c>global</c>, <c>pg_tblspc/16385/PG_17_202406281/5</c>.</param>
/// <param name="Number">The relation's file number.</param>
/// <param name="Fork"><c>main</c>, <c>fsm</c>, <c>vm</c> or <c>init</c>.</param>
/// <param name="Segment">0 for the first gigabyte.</param>
/// <param name="IsTemporary">It belongs to a temporary table of a session.</param>
/// <remarks>https://www.postgresql.org/docs/current/storage-file-layout.html</remarks>
public sealed record RelationFile(string Directory, uint Number, string Fork, uint Segment, bool IsTemporary)
{
    private static readonly string[] Forks = ["fsm", "vm", "init"];

    /// <summary>Reads a path relative to the data directory; null: it is no relation's.</summary>
    public static RelationFile? TryRead(string path)
    {
        int slash = path.LastIndexOf('/');
        if (slash < 0 || !HoldsRelations(path.AsSpan(0, slash)))
            return null;

        ReadOnlySpan<char> name = path.AsSpan(slash + 1);
        bool isTemporary = TakeBackend(ref name);
        if (!TakeNumber(ref name, out uint number))
            return null;

        string fork = TakeFork(ref name);
        uint segment = 0;
        if (name is ['.', ..])
        {
            name = name[1..];
            if (!TakeNumber(ref name, out segment))
                return null;
        }

        return name.IsEmpty ? new RelationFile(path[..slash], number, fork, segment, isTemporary) : null;
    }

    /// <summary>Whether a directory, relative to the data directory, is one in which relations lie.</summary>
    private static bool HoldsRelations(ReadOnlySpan<char> directory)
    {
        Span<Range> parts = stackalloc Range[5];
        int count = directory.Split(parts, '/');
        return directory[parts[0]] switch
        {
            "global" => count == 1,
            "base" => count == 2 && IsNumber(directory[parts[1]]),
            "pg_tblspc" => count == 4 && IsNumber(directory[parts[1]]) && directory[parts[2]].StartsWith("PG_", StringComparison.Ordinal) && IsNumber(directory[parts[3]]),
            _ => false,
        };
    }

    private static bool IsNumber(ReadOnlySpan<char> text) => text.Length > 0 && !text.ContainsAnyExceptInRange('0', '9');

    // t3_16384: backend 3's.
    private static bool TakeBackend(ref ReadOnlySpan<char> name)
    {
        ReadOnlySpan<char> rest = name is ['t', ..] ? name[1..] : default;
        if (!TakeNumber(ref rest, out _) || rest is not ['_', ..])
            return false;
        name = rest[1..];
        return true;
    }

    private static bool TakeNumber(ref ReadOnlySpan<char> text, out uint number)
    {
        int digits = text.IndexOfAnyExceptInRange('0', '9') is var end && end < 0 ? text.Length : end;
        bool taken = uint.TryParse(text[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out number);
        text = text[digits..];
        return taken;
    }

    private static string TakeFork(ref ReadOnlySpan<char> name)
    {
        foreach (string fork in Forks)
        {
            if (name is ['_', ..] && name[1..].StartsWith(fork, StringComparison.Ordinal))
            {
                name = name[(fork.Length + 1)..];
                return fork;
            }
        }

        return "main";
    }
}

using System.Globalization;

namespace Repmgr.Core.Postgres;

/// <summary>
/// The ancestors of a timeline and where each was left, as <c>0000000N.history</c> and the replication command
/// <c>TIMELINE_HISTORY</c> have them.
/// </summary>
/// <param name="Timeline">The timeline whose history this is.</param>
/// <param name="Ancestors">Oldest first.</param>
/// <remarks>
/// readTimeLineHistory() in src/backend/access/transam/timeline.c;
/// https://www.postgresql.org/docs/current/protocol-replication.html
/// </remarks>
public sealed record TimelineHistory(int Timeline, IReadOnlyList<TimelineHistory.Ancestor> Ancestors)
{
    /// <summary>A timeline and the position up to which it belongs to its descendants.</summary>
    /// <param name="Timeline">Its number.</param>
    /// <param name="SwitchPoint">The first position that is no longer shared: the next timeline begins here.</param>
    public readonly record struct Ancestor(int Timeline, Lsn SwitchPoint);

    /// <summary>Timeline 1 has no ancestors and no file.</summary>
    public static TimelineHistory First { get; } = new(1, []);

    /// <summary>Reads a history file: a number, a position and a reason on each line; comments and blank lines between.</summary>
    /// <returns>False when a line is not understood or the numbers do not rise up to below <paramref name="timeline"/>.</returns>
    public static bool TryParse(int timeline, string content, out TimelineHistory history)
    {
        var ancestors = new List<Ancestor>();
        history = new TimelineHistory(timeline, ancestors);
        foreach (string raw in content.Split('\n'))
        {
            string line = raw.Trim();
            if (line.Length == 0 || line[0] == '#')
                continue;

            string[] words = line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length < 2
                || !int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                || !Lsn.TryParse(words[1], out Lsn switchPoint)
                || number < 1
                || number >= timeline
                || (ancestors.Count > 0 && number <= ancestors[^1].Timeline))
                return false;

            ancestors.Add(new Ancestor(number, switchPoint));
        }

        return true;
    }

    /// <summary>
    /// Up to where the WAL of <paramref name="timeline"/> is also that of this timeline: what a copy has from there on is
    /// foreign. Null when that timeline is no ancestor at all; <see cref="ulong.MaxValue"/> when it is this timeline itself.
    /// </summary>
    /// <remarks>
    /// The least switch point from the ancestor on, not just its own: recovery to a target that lies before a switch point
    /// it was told to follow leaves a history in which the later ancestor was left earlier.
    /// </remarks>
    public Lsn? SharedUpTo(int timeline)
    {
        if (timeline == Timeline)
            return new Lsn(ulong.MaxValue);

        var rest = Ancestors.SkipWhile(ancestor => ancestor.Timeline != timeline).Select(ancestor => ancestor.SwitchPoint).ToList();
        return rest.Count == 0 ? null : rest.Min();
    }

    /// <summary>The first ancestor in which two histories differ, seen as far as the shorter one goes; null when they agree.</summary>
    /// <remarks>Two servers promoted apart can both call their timeline 2: its number alone proves nothing.</remarks>
    public (Ancestor Mine, Ancestor Theirs)? FirstDifference(TimelineHistory other)
    {
        foreach ((Ancestor mine, Ancestor theirs) in Ancestors.Zip(other.Ancestors))
        {
            if (mine != theirs)
                return (mine, theirs);
        }

        return null;
    }

    /// <summary>The timeline under whose name a segment lies: the newest that begins in it or before it.</summary>
    /// <remarks>XLogFileReadAnyTLI() in src/backend/access/transam/xlogrecovery.c</remarks>
    public int OfSegment(ulong segment, ulong segmentBytes)
    {
        int timeline = Ancestors.Count > 0 ? Ancestors[0].Timeline : Timeline;
        for (int index = 0; index < Ancestors.Count && Ancestors[index].SwitchPoint.Bytes / segmentBytes <= segment; index++)
            timeline = index + 1 < Ancestors.Count ? Ancestors[index + 1].Timeline : Timeline;
        return timeline;
    }

    /// <summary>The file's name in <c>pg_wal</c>.</summary>
    public static string FileName(int timeline) => string.Create(CultureInfo.InvariantCulture, $"{timeline:X8}.history");
}

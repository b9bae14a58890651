using System.Text;
using System.Text.RegularExpressions;
using Repmgr.Core.Cloning;
using Repmgr.Core.Postgres;

namespace Repmgr.Engine.Cloning;

/// <summary>What the end of a <c>backup_manifest</c> says.</summary>
internal static partial class ManifestEnd
{
    private const int TailBytes = 64 << 10;

    /// <summary>Up to where WAL must be replayed before the copy is consistent; null when there is no manifest, or it names no WAL.</summary>
    public static Lsn? Read(string directory)
    {
        string path = Path.Combine(directory, BackupManifest.FileName);
        if (!File.Exists(path))
            return null;

        using FileStream file = File.OpenRead(path);
        file.Seek(-Math.Min(file.Length, TailBytes), SeekOrigin.End);
        using var reader = new StreamReader(file, Encoding.UTF8);
        List<Lsn> ends = [];
        foreach (Match match in EndText().Matches(reader.ReadToEnd()))
        {
            if (Lsn.TryParse(match.Groups[1].Value, out Lsn end))
                ends.Add(end);
        }

        return ends.Count > 0 ? ends.Max() : null;
    }

    [GeneratedRegex("\"End-LSN\": \"([0-9A-F]+/[0-9A-F]+)\"")]
    private static partial Regex EndText();
}

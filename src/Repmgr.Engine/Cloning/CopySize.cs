namespace Repmgr.Engine.Cloning;

/// <summary>How much a copy holds, WAL not counted.</summary>
/// <param name="Files">Regular files.</param>
/// <param name="Bytes">In them.</param>
internal sealed record CopySize(long Files, long Bytes)
{
    /// <summary>Counts what is in these directories; null when something vanished meanwhile.</summary>
    public static CopySize? TryOf(IEnumerable<string> directories)
    {
        try
        {
            List<FileInfo> files = [.. directories.Where(Directory.Exists).SelectMany(In)];
            return new CopySize(files.Count, files.Sum(file => file.Length));
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static IEnumerable<FileInfo> In(string directory)
    {
        var all = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true };
        string wal = Path.Combine(directory, "pg_wal") + "/";
        return new DirectoryInfo(directory).EnumerateFiles("*", all).Where(file => !file.FullName.StartsWith(wal, StringComparison.Ordinal));
    }
}

namespace Repmgr.PostgresTests.Harness;

/// <summary>The published programs under test: from <c>dist/</c>, or the directories in <c>REPMGR_DIST</c> (separated by colons).</summary>
public static class Programs
{
    public static string Repmgr { get; } = Find("repmgr");

    public static string Repmgrd { get; } = Find("repmgrd");

    /// <summary>The top of the source tree.</summary>
    public static string SourceRoot { get; } = Above(AppContext.BaseDirectory);

    private static string Find(string name)
    {
        string[] places = Environment.GetEnvironmentVariable("REPMGR_DIST")?.Split(':', StringSplitOptions.RemoveEmptyEntries)
            ?? [Path.Combine(Above(AppContext.BaseDirectory), "dist")];
        string found = places.Select(place => Path.GetFullPath(Path.Combine(place, name))).FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException($"There is no {name} in {string.Join(" or ", places)}; make publish builds it.");
        return TestUser.IsRoot && !OthersMayRun(found) ? CopyWhereOthersMayRun(found) : found;
    }

    /// <summary>A checkout in root's home cannot be reached by the user that the servers run as.</summary>
    private static bool OthersMayRun(string file)
    {
        for (var directory = Directory.GetParent(file); directory is not null; directory = directory.Parent)
        {
            if (!File.GetUnixFileMode(directory.FullName).HasFlag(UnixFileMode.OtherExecute))
                return false;
        }

        return File.GetUnixFileMode(file).HasFlag(UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
    }

    private static string CopyWhereOthersMayRun(string file)
    {
        string copy = Path.Combine(RunDirectory.Path, "bin", Path.GetFileName(file));
        Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
        File.Copy(file, copy, overwrite: true);
        File.SetUnixFileMode(copy, (UnixFileMode)Convert.ToInt32("755", 8));
        return copy;
    }

    private static string Above(string directory) =>
        File.Exists(Path.Combine(directory, "Repmgr.slnx"))
            ? directory
            : Above(Path.GetDirectoryName(directory.TrimEnd('/')) ?? throw new DirectoryNotFoundException("Repmgr.slnx is nowhere above the tests."));
}

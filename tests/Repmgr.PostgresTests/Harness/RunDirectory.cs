namespace Repmgr.PostgresTests.Harness;

/// <summary>One directory for all that this run of the suite makes on disk; gone when the run ends, however it ends.</summary>
internal static class RunDirectory
{
    /// <summary>Short, since the path of a Unix socket has at most 107 bytes.</summary>
    public static string Path { get; } = Make();

    /// <summary>A directory below it, owned by the user that the servers run as.</summary>
    public static async Task<string> SubdirectoryAsync(string name)
    {
        Leftovers.AdoptOrphans();
        string path = Directory.CreateDirectory(System.IO.Path.Combine(Path, name)).FullName;
        await TestUser.GiveAsync(path, TestUser.Name);
        return path;
    }

    private static string Make()
    {
        Leftovers.AdoptOrphans();
        string path = Directory.CreateTempSubdirectory("repmgr-").FullName;
        File.SetUnixFileMode(path, (UnixFileMode)Convert.ToInt32("755", 8));
        // Also after Ctrl-C and at a normal end: what still runs out of this directory is ended, then the directory goes.
        AppDomain.CurrentDomain.ProcessExit += (_, _) => CleanUp(path);
        return path;
    }

    private static void CleanUp(string path)
    {
        Leftovers.Kill(path);
        try
        {
            Directory.Delete(path, recursive: true);
        }
        catch (IOException e)
        {
            Console.Error.WriteLine($"could not remove {path}: {e.Message}");
        }
    }
}

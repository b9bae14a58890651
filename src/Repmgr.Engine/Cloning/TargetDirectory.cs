using Repmgr.Core.Cloning;
using Repmgr.Core.Planning;
using Repmgr.Engine.Files;

namespace Repmgr.Engine.Cloning;

/// <summary>What a clone does to the directory it fills, besides copying. Failures are <see cref="IOException"/>.</summary>
internal static class TargetDirectory
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private static readonly TimeSpan OrphansWithin = TimeSpan.FromSeconds(30);

    // Kept beside their successors: what an operator has tuned on this host is not thrown away.
    private static readonly string[] KeptFiles = ["postgresql.conf", AutoConf.FileName, "pg_hba.conf", "pg_ident.conf"];

    /// <summary>Marks the directory, makes it first if need be, and takes the lock that says we are at it.</summary>
    /// <exception cref="IOException">Another clone has the lock, or it could not be written.</exception>
    public static async Task<FileStream> BeginAsync(Step.BeginClone step, CancellationToken cancel)
    {
        string directory = step.DataDirectory;
        Directory.CreateDirectory(directory, OwnerOnly);
        bool again = CloneMarker.Read(directory) is not null;
        if (again && CloneMarker.IsLocked(directory))
            throw new IOException($"another repmgr is cloning into \"{directory}\"");

        CloneMarker.Write(directory, step.Marker);
        FileStream held = CloneMarker.Lock(directory);
        DataIdentity.Remove(directory);
        await AwaitOrphansAsync(directory, again, cancel).ConfigureAwait(false);
        foreach (string list in Directory.EnumerateFiles(directory, CopyRules.List + "*"))
            File.Delete(list); // One that was killed just when it made it.
        foreach (string name in new[] { CopyRules.Staging, CopyRules.Incremental })
            RemoveStaging(Path.Combine(directory, name), step.Marker.TablespaceDirectories);
        foreach (string name in KeptFiles.Where(name => !again && File.Exists(Path.Combine(directory, name))))
            DurableFile.Replace(Path.Combine(directory, name + CopyRules.BeforeClone), File.ReadAllBytes(Path.Combine(directory, name)));
        return held;
    }

    // When a repmgr is killed, its rsync or pg_basebackup ends too, but only when it next writes to the broken pipe, and a restore tool
    // perhaps not before it is done. Until then it still writes here.
    private static async Task AwaitOrphansAsync(string directory, bool again, CancellationToken cancel)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (again && Orphans(directory) is { Count: > 0 } left)
        {
            if (TimeProvider.System.GetElapsedTime(start) > OrphansWithin)
                throw new IOException($"processes of an interrupted clone still write to \"{directory}\"; end them, or wait until they are done: {string.Join(", ", left)}");
            await Task.Delay(TimeSpan.FromMilliseconds(100), cancel).ConfigureAwait(false);
        }
    }

    private static List<string> Orphans(string directory)
    {
        var found = new List<string>();
        string restores = $"{CloneCommandLine.DirectoryVariable}={Path.Combine(directory, CopyRules.Staging)}";
        foreach (string process in Directory.EnumerateDirectories("/proc").Where(path => char.IsAsciiDigit(path[^1])))
        {
            try
            {
                string[] arguments = File.ReadAllText(Path.Combine(process, "cmdline")).Split('\0');
                bool copies = Path.GetFileName(arguments[0]) is "rsync" or "pg_basebackup" or "pg_combinebackup"
                    && arguments.Any(argument => argument.StartsWith(directory + "/", StringComparison.Ordinal) || argument.StartsWith($"--pgdata={directory}/{CopyRules.OwnPrefix}", StringComparison.Ordinal));
                if (copies || File.ReadAllText(Path.Combine(process, "environ")).Split('\0').Contains(restores))
                    found.Add(Path.GetFileName(process));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It ended while we looked, or is not ours to see.
            }
        }

        return found;
    }

    /// <summary>Makes an old copy impossible to start. Durable.</summary>
    public static void HideControlFile(string directory) => DurableFile.Remove(Path.Combine(directory, CopyRules.ControlFile));

    /// <summary>Deletes an old copy: the control file first, so that what is left of it can never be started.</summary>
    public static void Clear(Step.ClearTarget step)
    {
        HideControlFile(step.DataDirectory);
        OldTablespaces.Delete(step.DataDirectory, step.VersionDirectory, [.. step.TablespaceDirectories.Select(directory => ("", directory))], step.TablespacesOfOthers);
        foreach (string space in step.TablespaceDirectories.Where(Directory.Exists))
        {
            foreach (string version in Directory.EnumerateDirectories(space, "PG_*").Where(path => OwnsVersion(step, path)))
                Directory.Delete(version, recursive: true);
        }

        foreach (FileSystemInfo entry in new DirectoryInfo(step.DataDirectory).EnumerateFileSystemInfos())
        {
            if (IsOurs(entry.Name))
                continue;
            if (entry.Name == "pg_wal" && entry.LinkTarget is not null)
                Empty(entry.FullName); // WAL on another disk stays there: the link is kept, its content goes.
            else
                Delete(entry);
        }

        NativeFile.FlushDirectory(step.DataDirectory);
    }

    /// <summary>Deletes a staging directory that an interrupted clone left behind.</summary>
    /// <param name="directory">It lies inside the data directory.</param>
    /// <param name="tablespaceDirectories">Those that may hold one of the same name.</param>
    public static void RemoveStaging(string directory, IEnumerable<string> tablespaceDirectories)
    {
        // pg_basebackup's --waldir: what lies behind the link is part of the copy.
        if (new DirectoryInfo(Path.Combine(directory, "pg_wal")) is { Exists: true, LinkTarget: not null } wal)
            Empty(wal.FullName);
        foreach (string staging in tablespaceDirectories.Select(space => Path.Combine(space, Path.GetFileName(directory))).Append(directory).Where(Directory.Exists))
            Directory.Delete(staging, recursive: true);
    }

    /// <summary>The way a staged copy gets into place: everything is on disk before the first rename, and <c>global</c> is the last.</summary>
    public static void MoveIntoPlace(Step.FinishClone step, CancellationToken cancel)
    {
        string staging = Path.Combine(step.DataDirectory, CopyRules.Staging);
        if (!Directory.Exists(staging))
            return;

        foreach (StagedTablespace space in step.Tablespaces)
            Relink(staging, space);
        DurableFile.FlushTree(staging, cancel);
        FlushLinkedWal(staging, cancel);
        foreach (StagedTablespace space in step.Tablespaces.Where(space => Directory.Exists(space.Staging)))
        {
            DurableFile.FlushTree(space.Staging, cancel);
            foreach (string path in Directory.EnumerateDirectories(space.Staging))
                Directory.Move(path, Path.Combine(space.Destination, Path.GetFileName(path)));
            Directory.Delete(space.Staging);
            NativeFile.FlushDirectory(space.Destination);
        }

        foreach (FileSystemInfo entry in new DirectoryInfo(staging).GetFileSystemInfos().OrderBy(entry => entry.Name == "global"))
        {
            if (entry.Name == "global")
                NativeFile.FlushDirectory(step.DataDirectory); // All the rest is durable before the control file appears.
            Move(entry, Path.Combine(step.DataDirectory, entry.Name));
        }

        Directory.Delete(staging);
        File.SetUnixFileMode(step.DataDirectory, File.GetUnixFileMode(Path.Combine(step.DataDirectory, "global")));
    }

    /// <summary>The way a copy made in place becomes whole: everything is on disk before the control file appears.</summary>
    public static void PlaceControlFile(Step.FinishClone step, CancellationToken cancel)
    {
        string pending = Path.Combine(step.DataDirectory, CopyRules.PendingControlFile);
        if (!File.Exists(pending))
            return;

        DurableFile.FlushTree(step.DataDirectory, cancel);
        // All that are linked: one may have been created while the copy was planned.
        foreach (string link in Directory.EnumerateDirectories(Path.Combine(step.DataDirectory, "pg_tblspc")).Where(path => new DirectoryInfo(path).LinkTarget is not null))
        {
            foreach (string version in Directory.EnumerateDirectories(link, "PG_*"))
                DurableFile.FlushTree(version, cancel);
            NativeFile.FlushDirectory(link);
        }

        FlushLinkedWal(step.DataDirectory, cancel);
        File.Move(pending, Path.Combine(step.DataDirectory, CopyRules.ControlFile), overwrite: true);
        NativeFile.FlushDirectory(Path.Combine(step.DataDirectory, "global"));
    }

    /// <summary>The clone is whole: the marker goes, and with it the kept configuration that is no different from the new.</summary>
    public static void RemoveMarker(string directory)
    {
        RemoveEqualConfiguration(directory);
        DataIdentity.Renew(directory);
        File.Delete(CloneMarker.PathIn(directory));
        NativeFile.FlushDirectory(directory);
    }

    /// <summary>Of the configuration that was kept, what is no different from the new goes.</summary>
    public static void RemoveEqualConfiguration(string directory)
    {
        foreach (string name in KeptFiles.Select(name => Path.Combine(directory, name)))
        {
            if (File.Exists(name) && File.Exists(name + CopyRules.BeforeClone) && File.ReadAllBytes(name).AsSpan().SequenceEqual(File.ReadAllBytes(name + CopyRules.BeforeClone)))
                File.Delete(name + CopyRules.BeforeClone);
        }
    }

    /// <summary>Directories that a server needs and a copy does not bring, and a link for each tablespace.</summary>
    public static void MakeSkeleton(RsyncCopy copy)
    {
        string wal = Path.Combine(copy.DataDirectory, "pg_wal");
        if (!Directory.Exists(wal))
            Directory.CreateDirectory(wal, OwnerOnly);
        Empty(wal);
        Directory.CreateDirectory(Path.Combine(wal, "archive_status"), OwnerOnly);
        Directory.CreateDirectory(Path.Combine(copy.DataDirectory, "global"), OwnerOnly);
        string links = Path.Combine(copy.DataDirectory, "pg_tblspc");
        Directory.CreateDirectory(links, OwnerOnly);
        OldTablespaces.Delete(copy.DataDirectory, copy.VersionDirectory, [.. copy.Destinations.Select(space => (Name(space), space.Destination))], copy.TablespacesOfOthers);
        foreach (StagedTablespace space in copy.Destinations)
        {
            Directory.CreateDirectory(Path.Combine(space.Destination, space.VersionDirectory), OwnerOnly);
            ReplaceLink(Path.Combine(links, Name(space)), space.Destination);
        }
    }

    private static void FlushLinkedWal(string directory, CancellationToken cancel)
    {
        if (new DirectoryInfo(Path.Combine(directory, "pg_wal")) is { LinkTarget: not null } wal)
            DurableFile.FlushTree(wal.ResolveLinkTarget(returnFinalTarget: true)!.FullName, cancel);
    }

    internal static bool IsOurs(string name) =>
        name.StartsWith(CopyRules.OwnPrefix, StringComparison.Ordinal) || name.EndsWith(CopyRules.BeforeClone, StringComparison.Ordinal) || name == "lost+found";

    // Other clusters may keep a directory of another version in the same place: theirs stays.
    private static bool OwnsVersion(Step.ClearTarget step, string path) =>
        Path.GetFileName(path) == step.VersionDirectory;

    private static void Relink(string staging, StagedTablespace space) =>
        ReplaceLink(Path.Combine(staging, "pg_tblspc", Name(space)), space.Destination);

    internal static void ReplaceLink(string link, string destination)
    {
        if (new FileInfo(link).LinkTarget == destination)
            return;
        File.Delete(link);
        File.CreateSymbolicLink(link, destination);
    }

    private static string Name(StagedTablespace space) => space.Oid.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Makes a directory if it is not there.</summary>
    public static void Make(string directory, UnixFileMode mode)
    {
        if (!Directory.Exists(directory))
        {
            Directory.CreateDirectory(directory, mode);
            File.SetUnixFileMode(directory, mode);
        }
    }

    internal static void Empty(string directory)
    {
        foreach (FileSystemInfo entry in new DirectoryInfo(directory).EnumerateFileSystemInfos())
            Delete(entry);
    }

    internal static void Delete(FileSystemInfo entry)
    {
        if (entry is DirectoryInfo { LinkTarget: null } directory)
            directory.Delete(recursive: true);
        else
            entry.Delete();
    }

    // Where WAL lies behind a link, it is the content that moves, perhaps onto another file system.
    private static void Move(FileSystemInfo entry, string to)
    {
        if (entry is DirectoryInfo { LinkTarget: null } directory && new DirectoryInfo(to) is { Exists: true, LinkTarget: not null })
        {
            foreach (FileSystemInfo child in directory.GetFileSystemInfos())
                Move(child, Path.Combine(to, child.Name));
            directory.Delete();
            NativeFile.FlushDirectory(to);
        }
        else if (entry is DirectoryInfo { LinkTarget: null } whole)
        {
            MoveDirectory(whole, to);
        }
        else if (entry is DirectoryInfo { LinkTarget: { } destination })
        {
            // The base library takes a link to a directory for a file that is not there when it is to be moved.
            ReplaceLink(to, destination);
            entry.Delete();
        }
        else
        {
            File.Move(entry.FullName, to, overwrite: true);
        }
    }

    private static void MoveDirectory(DirectoryInfo directory, string to)
    {
        try
        {
            directory.MoveTo(to);
        }
        catch (IOException) when (!Directory.Exists(to))
        {
            // Another file system.
            Directory.CreateDirectory(to, directory.UnixFileMode);
            foreach (FileSystemInfo child in directory.GetFileSystemInfos())
                Move(child, Path.Combine(to, child.Name));
            directory.Delete();
            DurableFile.FlushTree(to, CancellationToken.None);
        }
    }
}

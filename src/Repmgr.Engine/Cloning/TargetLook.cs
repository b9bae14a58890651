using System.Buffers.Binary;
using System.Globalization;
using Repmgr.Core.Cloning;
using Repmgr.Engine.Files;
using Repmgr.Engine.Hosts;

namespace Repmgr.Engine.Cloning;

/// <summary>Looks at the directories a clone will fill. Changes nothing.</summary>
internal static class TargetLook
{
    /// <param name="request">What is wanted.</param>
    /// <param name="source">What the source said.</param>
    /// <param name="others">Tablespace directories of other clusters on this host.</param>
    public static CloneTarget Look(CloneRequest request, CloneSource source, IReadOnlyList<string> others)
    {
        string directory = request.DataDirectory;
        TargetContent content = Content(directory);
        IReadOnlyList<string> mounts = MountPoints.Read();
        string? walLink = new DirectoryInfo(Path.Combine(directory, "pg_wal")).LinkTarget;
        return new CloneTarget(
            directory,
            content,
            Unwritable(directory),
            Room(directory, content.HoldsCopy, mounts),
            [.. source.Tablespaces.Where(space => !space.InPlace).Select(space => Tablespace(request, source, space, content, mounts, others))])
        {
            WalLink = walLink,
            TablespacesOfOthers = others,
            EarlierBackups = [.. request.EarlierBackups.Select(RestoredCopyFiles.Earlier)],
            IsWalDirectoryInUse = request.WalDirectory is { } wal && wal != walLink?.TrimEnd('/') && Directory.Exists(wal) && Directory.EnumerateFileSystemEntries(wal).Any(),
            Inside = Above(directory).FirstOrDefault(above => File.Exists(Path.Combine(above, CopyRules.ControlFile))),
        };
    }

    private static IEnumerable<string> Above(string directory)
    {
        for (string? above = Path.GetDirectoryName(directory); above is not null; above = Path.GetDirectoryName(above))
            yield return above;
    }

    /// <summary>What is in a directory.</summary>
    public static TargetContent Content(string directory)
    {
        try
        {
            if (!Directory.Exists(directory))
                return new TargetContent.Absent();

            List<string> entries = [.. Directory.EnumerateFileSystemEntries(directory).Select(Path.GetFileName).OfType<string>().Where(name => name != "lost+found")];
            if (entries.Count == 0)
                return new TargetContent.Empty();
            if (LocalServer.Look(directory) is LocalServerState.Running running)
                return new TargetContent.Cluster(Major(directory), SystemIdentifier(directory), running.File.Pid);

            bool whole = File.Exists(Path.Combine(directory, CopyRules.ControlFile));
            if (CloneMarker.Read(directory) is { } marker && (!whole || CloneMarker.IsLocked(directory)))
                return new TargetContent.Unfinished(marker, CloneMarker.IsLocked(directory));
            return File.Exists(Path.Combine(directory, "PG_VERSION"))
                ? new TargetContent.Cluster(Major(directory), SystemIdentifier(directory), null)
                : new TargetContent.Foreign([.. entries.Order(StringComparer.Ordinal).Take(5)]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new TargetContent.Unreadable(e.Message.TrimEnd('.'));
        }
    }

    private static int Major(string directory) =>
        int.TryParse(File.ReadAllText(Path.Combine(directory, "PG_VERSION")).Trim().Split('.')[0], CultureInfo.InvariantCulture, out int major) ? major : 0;

    // The identifier is the first field of the file in every version: src/include/catalog/pg_control.h.
    internal static ulong? SystemIdentifier(string directory)
    {
        try
        {
            using FileStream file = File.OpenRead(Path.Combine(directory, CopyRules.ControlFile));
            Span<byte> first = stackalloc byte[8];
            return file.ReadAtLeast(first, first.Length, throwOnEndOfStream: false) == first.Length
                ? BitConverter.IsLittleEndian ? BinaryPrimitives.ReadUInt64LittleEndian(first) : BinaryPrimitives.ReadUInt64BigEndian(first)
                : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    // The server insists that its data directory belongs to the user it runs as (checkDataDir in src/backend/utils/init/miscinit.c).
    private static string? Unwritable(string directory)
    {
        string existing = Existing(directory);
        if (Directory.Exists(directory) && NativeFile.Owner(directory).User is var owner && owner != NativeFile.EffectiveUser())
            return string.Create(CultureInfo.InvariantCulture, $"It belongs to user {NativeFile.UserName(owner)}, and this is {NativeFile.UserName(NativeFile.EffectiveUser())}");
        return NativeFile.MayWrite(existing) ? null : $"User {NativeFile.UserName(NativeFile.EffectiveUser())} may not write to \"{existing}\"";
    }

    private static TargetTablespace Tablespace(
        CloneRequest request, CloneSource source, TablespaceView space, TargetContent content, IReadOnlyList<string> mounts, IReadOnlyList<string> others)
    {
        string path = request.Destination(space.Location);
        bool used = Directory.Exists(Path.Combine(path, source.TablespaceVersionDirectory));
        // A copy of files made on the source's own host has links to the source's tablespaces.
        bool own = !others.Any(other => OldTablespaces.IsSame(other, path)) && content switch
        {
            TargetContent.Unfinished { Marker: var marker } => marker.TablespaceDirectories.Contains(path),
            TargetContent.Cluster => LinksTo(request.DataDirectory, path),
            _ => false,
        };
        return new TargetTablespace(space.Oid, Room(path, own, mounts), Unwritable(path), used && !own);
    }

    private static bool LinksTo(string dataDirectory, string path)
    {
        string links = Path.Combine(dataDirectory, "pg_tblspc");
        return Directory.Exists(links)
            && Directory.EnumerateFileSystemEntries(links).Any(link => NativeFile.IsSame(link, path) == true);
    }

    private static TargetRoom Room(string path, bool replaces, IReadOnlyList<string> mounts)
    {
        string existing = Path.GetFullPath(Existing(path));
        string mount = mounts.FirstOrDefault(point => point == "/" || existing == point || existing.StartsWith(point + "/", StringComparison.Ordinal)) ?? "/";
        return new TargetRoom(path, mount, new DriveInfo(existing).AvailableFreeSpace, replaces && Directory.Exists(path) ? Held(path) : 0);
    }

    private static long Held(string path)
    {
        try
        {
            var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true };
            return new DirectoryInfo(path).EnumerateFiles("*", options).Sum(file => file.Length);
        }
        catch (IOException)
        {
            // Something vanished while it was counted: then nothing is taken for reusable, which errs on the safe side.
            return 0;
        }
    }

    private static string Existing(string path)
    {
        while (!Directory.Exists(path) && Path.GetDirectoryName(path) is { Length: > 0 } parent)
            path = parent;
        return path;
    }
}

/// <summary>The mount points of this machine, the longest first.</summary>
internal static class MountPoints
{
    public static IReadOnlyList<string> Read()
    {
        try
        {
            return
            [
                .. File.ReadLines("/proc/self/mountinfo")
                    .Select(line => line.Split(' ')).Where(words => words.Length > 4)
                    .Select(words => words[4].Replace("\\040", " ", StringComparison.Ordinal))
                    .OrderByDescending(point => point.Length),
            ];
        }
        catch (IOException)
        {
            return ["/"];
        }
    }
}

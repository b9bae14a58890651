using System.Globalization;
using System.Text;
using Repmgr.Core.Cloning;
using Repmgr.Engine.Files;

namespace Repmgr.Engine.Cloning;

/// <summary>Looks at a directory that another tool has filled, and fits it for a standby.</summary>
internal static class RestoredCopyFiles
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const string LinkDirectory = "pg_tblspc";
    private const string MapFile = "tablespace_map";

    private static readonly string[] WithData = ["base", "global"];

    // A tool may leave out directories that are empty in a backup; the server does not make them anew.
    private static readonly string[] Needed = ["pg_wal", LinkDirectory, .. CopyRules.EmptyDirectories];

    // A server that ran when the backup was made left the first two; the third would end recovery.
    private static readonly string[] Unwanted = ["postmaster.pid", "postmaster.opts", SignalFiles.Recovery];

    public static RestoredCopy Look(string directory)
    {
        string control = Path.Combine(directory, CopyRules.ControlFile);
        int? major = Major(directory);
        return new RestoredCopy(
            !Directory.EnumerateFileSystemEntries(directory).Any(),
            major,
            TargetLook.SystemIdentifier(directory),
            File.Exists(control) && ControlFileCheck.IsWhole(File.ReadAllBytes(control)),
            [.. WithData.Where(name => !Directory.Exists(Path.Combine(directory, name)))],
            Locations(directory).ToDictionary(space => space.Key, space => new RestoredTablespace(space.Value, HoldsVersion(space.Value, major))),
            Label(directory));
    }

    /// <summary>Looks at an earlier backup.</summary>
    public static EarlierBackup Earlier(string directory) => new(
        directory, Major(directory), TargetLook.SystemIdentifier(directory), File.Exists(Path.Combine(directory, BackupManifest.FileName)), Label(directory));

    /// <summary>What <c>backup_label</c> says; null when there is none.</summary>
    public static BackupLabel? Label(string directory) =>
        File.Exists(Path.Combine(directory, "backup_label")) ? BackupLabel.TryRead(File.ReadAllText(Path.Combine(directory, "backup_label"))) : null;

    /// <summary>Makes a copy found whole one that can be moved into place and started as a standby.</summary>
    public static void Fit(CommandCopy copy)
    {
        foreach (string name in Needed)
            Directory.CreateDirectory(Path.Combine(copy.Staging, name), OwnerOnly);
        foreach (string name in Unwanted)
            DurableFile.Remove(Path.Combine(copy.Staging, name));
        FitMap(copy.Staging);
        FitPaths(copy);
        foreach (string space in Locations(copy.Staging).Values)
            DurableFile.FlushTree(space, CancellationToken.None);
    }

    // From this file the server makes all links anew when it starts: it must not undo what the tool was told about places.
    private static void FitMap(string directory)
    {
        string path = Path.Combine(directory, MapFile);
        if (!File.Exists(path))
            return;
        Dictionary<uint, string> locations = Locations(directory);
        string? map = TablespaceMap.Write(
            TablespaceMap.Read(File.ReadAllText(path)).Select(space => new TablespaceView(space.Key, "", locations[space.Key], null)), location => location);
        DurableFile.Replace(path, Encoding.UTF8.GetBytes(map ?? ""));
    }

    // A tool that writes settings (restore_command, for one) names the directory that it was given.
    private static void FitPaths(CommandCopy copy)
    {
        Dictionary<string, string?> moved = AutoConf.Read(copy.Staging)
            .Where(setting => setting.Value.Contains(copy.Staging, StringComparison.Ordinal))
            .ToDictionary(setting => setting.Key, string? (setting) => setting.Value.Replace(copy.Staging, copy.DataDirectory, StringComparison.Ordinal));
        AutoConf.Merge(copy.Staging, moved);
    }

    private static Dictionary<uint, string> Locations(string directory)
    {
        var locations = new Dictionary<uint, string>();
        string map = Path.Combine(directory, MapFile);
        if (File.Exists(map))
        {
            foreach ((uint oid, string location) in TablespaceMap.Read(File.ReadAllText(map)))
                locations[oid] = location;
        }

        string links = Path.Combine(directory, LinkDirectory);
        foreach (FileSystemInfo entry in Directory.Exists(links) ? new DirectoryInfo(links).EnumerateFileSystemInfos() : [])
        {
            if (entry.LinkTarget is { } target && uint.TryParse(entry.Name, NumberStyles.None, CultureInfo.InvariantCulture, out uint oid))
                locations[oid] = Path.GetFullPath(target, links);
        }

        return locations;
    }

    private static bool HoldsVersion(string location, int? major) =>
        Directory.Exists(location) && Directory.EnumerateDirectories(location, string.Create(CultureInfo.InvariantCulture, $"PG_{major}_*")).Any();

    private static int? Major(string directory)
    {
        string path = Path.Combine(directory, "PG_VERSION");
        return File.Exists(path) && int.TryParse(File.ReadAllText(path).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out int major) ? major : null;
    }
}

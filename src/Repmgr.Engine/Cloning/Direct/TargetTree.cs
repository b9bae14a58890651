using System.Globalization;
using Repmgr.Core.Cloning;
using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Problems;

namespace Repmgr.Engine.Cloning.Direct;

/// <summary>Makes the directories of the target those of the source, before contents come: what the source does not have goes.</summary>
internal sealed class TargetTree(DirectCopy copy, SourceIdentity source, IReadOnlyList<TablespaceView> tablespaces)
{
    private const string Links = "pg_tblspc";

    private readonly GarbageLimit _garbage = new();

    private string Root => copy.DataDirectory;

    public void Prepare(CopyList list)
    {
        File.SetUnixFileMode(Root, source.DirectoryMode);
        OldTablespaces.Delete(
            Root, copy.VersionDirectory, [.. tablespaces.Where(space => !space.InPlace).Select(space => (Path.GetFileName(Link(space)), copy.Destination(space.Location)))], copy.TablespacesOfOthers);
        HashSet<string> directories = [.. list.Directories];
        Prune("", [.. list.Files.Select(file => file.Path)], directories);
        Make(Path.Combine(Root, Links));
        foreach (TablespaceView space in tablespaces.Where(space => !space.InPlace))
        {
            string destination = copy.Destination(space.Location);
            Make(destination);
            Make(Path.Combine(destination, copy.VersionDirectory));
            TargetDirectory.ReplaceLink(Path.Combine(Root, Link(space)), destination);
        }

        foreach (string directory in list.Directories.Concat(CopyRules.EmptyDirectories).Where(path => path != "pg_wal" && !IsLink(path)))
            Make(Path.Combine(Root, directory));
    }

    /// <summary>A tablespace may have come after the target was looked at.</summary>
    /// <exception cref="CopyFailure">One has, and where it would go there are files already.</exception>
    public static void RefuseTaken(DirectCopy copy, IReadOnlyList<TablespaceView> tablespaces)
    {
        foreach (TablespaceView space in tablespaces.Where(space => !space.InPlace && !copy.KnownDirectories.Contains(copy.Destination(space.Location))))
        {
            string destination = copy.Destination(space.Location);
            if (Directory.Exists(Path.Combine(destination, copy.VersionDirectory)))
            {
                throw new CopyFailure(
                    new Problem(
                        $"tablespace \"{space.Name}\" was created meanwhile, and its directory \"{destination}\" is in use here",
                        Hint: "Map it to another directory with tablespace_mapping = 'OLD=NEW' in repmgr.conf, and run the command again."),
                    ExitCode.BadConfig);
            }
        }
    }

    private void Prune(string below, HashSet<string> files, HashSet<string> directories)
    {
        foreach (FileSystemInfo entry in new DirectoryInfo(Path.Combine(Root, below)).EnumerateFileSystemInfos())
        {
            string path = below.Length == 0 ? entry.Name : $"{below}/{entry.Name}";
            _garbage.Hold();
            if (path == "pg_wal" || (below.Length == 0 && TargetDirectory.IsOurs(entry.Name)))
                continue;

            bool isDirectory = entry is DirectoryInfo;
            if (IsLink(path) && entry.LinkTarget is not null)
                PruneTablespace(path, files, directories);
            else if (entry.LinkTarget is not null || (isDirectory ? !directories.Contains(path) : !files.Contains(path)))
                TargetDirectory.Delete(entry);
            else if (isDirectory)
                Prune(path, files, directories);
        }
    }

    // Only what belongs to this cluster; another version's is not ours.
    private void PruneTablespace(string link, HashSet<string> files, HashSet<string> directories)
    {
        string version = $"{link}/{copy.VersionDirectory}";
        if (Directory.Exists(Path.Combine(Root, version)))
            Prune(version, files, directories);
    }

    private void Make(string directory) => TargetDirectory.Make(directory, source.DirectoryMode);

    private bool IsLink(string path) => tablespaces.Any(space => !space.InPlace && path == Link(space));

    private static string Link(TablespaceView space) => string.Create(CultureInfo.InvariantCulture, $"{Links}/{space.Oid}");
}

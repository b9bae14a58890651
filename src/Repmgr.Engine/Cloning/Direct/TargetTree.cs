using System.Globalization;
using Repmgr.Core.Cloning;
using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Problems;
using Repmgr.Engine.Files;

namespace Repmgr.Engine.Cloning.Direct;

/// <summary>Makes the directories of the target those of the source, before contents come: what the source does not have goes.</summary>
internal sealed class TargetTree(DirectCopy copy, SourceIdentity source, IReadOnlyList<TablespaceView> tablespaces)
{
    private const string Links = "pg_tblspc";

    private readonly GarbageLimit _garbage = new();

    private string Root => copy.DataDirectory;

    /// <param name="there">What the source has.</param>
    /// <param name="wanted">Takes the files to be copied.</param>
    public void Prepare(ListedTree there, SortedFiles wanted)
    {
        File.SetUnixFileMode(Root, source.DirectoryMode);
        OldTablespaces.Delete(
            Root, copy.VersionDirectory, [.. tablespaces.Where(space => !space.InPlace).Select(space => (Path.GetFileName(Link(space)), copy.Destination(space.Location)))], copy.TablespacesOfOthers);
        Prune(there, wanted);
        Make(Path.Combine(Root, Links));
        foreach (TablespaceView space in tablespaces.Where(space => !space.InPlace))
        {
            string destination = copy.Destination(space.Location);
            Make(destination);
            Make(Path.Combine(destination, copy.VersionDirectory));
            TargetDirectory.ReplaceLink(Path.Combine(Root, Link(space)), destination);
        }

        foreach (string directory in there.Directories.Concat(CopyRules.EmptyDirectories).Where(path => path != "pg_wal" && !IsLink(path)))
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

    private void Prune(ListedTree there, SortedFiles wanted)
    {
        using var here = new SortedFiles(Path.Combine(Root, CopyRules.List + "here"), ListedFile.ByRelation);
        PruneDirectories("", [.. there.Directories], here);
        foreach ((ListedFile? ours, ListedFile? theirs) in ListedFile.Pair(here.InOrder(), there.Files))
        {
            if (theirs is { } file)
                wanted.Add(file);
            else
                File.Delete(Path.Combine(Root, ours!.Value.Path));
            _garbage.Hold();
        }
    }

    /// <summary>Removes what is no file of a directory that the source has too, and lists these files.</summary>
    private void PruneDirectories(string below, HashSet<string> directories, SortedFiles files)
    {
        foreach (FileSystemInfo entry in new DirectoryInfo(Path.Combine(Root, below)).EnumerateFileSystemInfos())
        {
            string path = below.Length == 0 ? entry.Name : $"{below}/{entry.Name}";
            _garbage.Hold();
            if (path == "pg_wal" || (below.Length == 0 && TargetDirectory.IsOurs(entry.Name)))
                continue;

            if (IsLink(path) && entry.LinkTarget is not null)
                PruneTablespace(path, directories, files);
            else if (entry.LinkTarget is not null || (entry is DirectoryInfo && !directories.Contains(path)))
                TargetDirectory.Delete(entry);
            else if (entry is DirectoryInfo)
                PruneDirectories(path, directories, files);
            else
                files.Add(new ListedFile(path, 0));
        }
    }

    // Only what belongs to this cluster; another version's is not ours.
    private void PruneTablespace(string link, HashSet<string> directories, SortedFiles files)
    {
        string version = $"{link}/{copy.VersionDirectory}";
        if (Directory.Exists(Path.Combine(Root, version)))
            PruneDirectories(version, directories, files);
    }

    private void Make(string directory) => TargetDirectory.Make(directory, source.DirectoryMode);

    private bool IsLink(string path) => tablespaces.Any(space => !space.InPlace && path == Link(space));

    private static string Link(TablespaceView space) => string.Create(CultureInfo.InvariantCulture, $"{Links}/{space.Oid}");
}

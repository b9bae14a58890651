using Repmgr.Core.Cloning;
using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Verification;
using Repmgr.Engine.Cloning;
using Repmgr.Engine.Cloning.Direct;
using Repmgr.Engine.Files;
using Repmgr.Engine.Hosts;

namespace Repmgr.Engine.Verification;

/// <summary>The files of a data directory on this machine, read and never written.</summary>
/// <param name="root">The data directory.</param>
internal sealed class LocalCopy(string root)
{
    /// <summary>Lists the files that can be compared, and their sizes.</summary>
    /// <param name="tree">Takes them.</param>
    /// <param name="versionDirectory">The directory in each tablespace that belongs to the cluster.</param>
    /// <exception cref="IOException">The directory cannot be read.</exception>
    public void List(ListedTree tree, string versionDirectory)
    {
        Add(tree, "global");
        AddDatabases(tree, "base");
        foreach (string space in Names("pg_tblspc"))
            AddDatabases(tree, $"pg_tblspc/{space}/{versionDirectory}");
    }

    /// <summary>Whether the directory of a file's database is here.</summary>
    public bool HasDirectoryOf(string path) => File.Exists(Path.Combine(root, Path.GetDirectoryName(path)!, "PG_VERSION"));

    public long Length(string path) => new FileInfo(Path.Combine(root, path)) is { Exists: true } file ? file.Length : 0;

    /// <summary>Opens a file to be read while the server may change it; null: it is not there.</summary>
    public FileStream? TryOpen(string path)
    {
        try
        {
            return new FileStream(Path.Combine(root, path), new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 });
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>How far this copy has come, as far as its files tell.</summary>
    /// <param name="program">Path of <c>pg_controldata</c>.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="CopyFailure">Its control file cannot be read.</exception>
    public async Task<(CopyHistory History, bool IsRunning, bool MayBeTorn)> LookAsync(string program, CancellationToken cancel)
    {
        bool isRunning = LocalServer.Look(root) is LocalServerState.Running;
        (ControlData? data, Problem? problem) = await ControlFile.ReadAsync(new PostgresBinaries(Path.GetDirectoryName(program)!), root, cancel).ConfigureAwait(false);
        if (data is null)
            throw new CopyFailure(problem!, ExitCode.LocalCommand);

        // A copy on which no server was started yet: its control file may be younger than its other files.
        Lsn settled = !isRunning && BackupLabel() is { } label ? label.Start : data.Redo;
        return (new CopyHistory(data.Timeline, settled, History(data.Timeline)), isRunning, !isRunning && !data.IsShutDownCleanly);
    }

    private BackupLabel? BackupLabel() => ReadText("backup_label") is { } text ? Core.Cloning.BackupLabel.TryRead(text) : null;

    private TimelineHistory? History(int timeline) =>
        timeline == 1 ? TimelineHistory.First
        : ReadText("pg_wal/" + TimelineHistory.FileName(timeline)) is { } text && TimelineHistory.TryParse(timeline, text, out TimelineHistory history) ? history
        : null;

    private string? ReadText(string path)
    {
        try
        {
            return File.ReadAllText(Path.Combine(root, path));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private void AddDatabases(ListedTree tree, string below)
    {
        foreach (string database in Names(below))
            Add(tree, $"{below}/{database}");
    }

    private void Add(ListedTree tree, string directory)
    {
        var garbage = new GarbageLimit();
        var here = new DirectoryInfo(Path.Combine(root, directory));
        try
        {
            if (!here.Exists)
                return;
            foreach (FileInfo file in here.EnumerateFiles())
            {
                tree.Add(new SourceEntry($"{directory}/{file.Name}", false, SizeOf(file)));
                garbage.Hold();
            }
        }
        catch (DirectoryNotFoundException)
        {
            // A database was dropped.
        }
    }

    private static long SizeOf(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (FileNotFoundException)
        {
            return 0;
        }
    }

    private List<string> Names(string below)
    {
        var here = new DirectoryInfo(Path.Combine(root, below));
        return here.Exists ? here.EnumerateDirectories().Select(directory => directory.Name).ToList() : [];
    }
}

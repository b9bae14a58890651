using System.Globalization;
using System.Text;
using Repmgr.Core.Cloning;
using Repmgr.Core.Problems;
using Repmgr.Engine.Processes;

namespace Repmgr.Engine.Cloning;

/// <summary>Copies the files of a source in backup mode, WAL aside, by rsync processes side by side.</summary>
internal sealed class RsyncFiles(RsyncCopy copy, IProgress<CopyProgress> progress)
{
    private static readonly IReadOnlyDictionary<string, string?> Plain = ProgramEnvironment.PlainMessages;

    // PG_CONTROL_FILE_SIZE in src/include/catalog/pg_control.h.
    private const long ControlFileBytes = 8192;

    private long _moved;

    /// <summary>Bytes that came over the wire for the files so far, as rsync itself counts them.</summary>
    public long Moved => Interlocked.Read(ref _moved);

    /// <summary>Files that the source has, the control file among them.</summary>
    public long Files { get; private set; }

    /// <summary>Bytes in them.</summary>
    public long Bytes { get; private set; }

    public async Task CopyAsync(CancellationToken cancel)
    {
        progress.Report(new CopyProgress("listing the source's files"));
        List<CopyTree> trees = [await TreeAsync("data directory", copy.SourceDirectory, copy.DataDirectory, CopyRules.RootFilters(copy.Tablespaces), cancel).ConfigureAwait(false)];
        foreach (StagedTablespace space in copy.Destinations)
        {
            trees.Add(await TreeAsync(
                $"tablespace {space.Oid}",
                string.Create(CultureInfo.InvariantCulture, $"{copy.SourceDirectory.TrimEnd('/')}/pg_tblspc/{space.Oid}/{space.VersionDirectory}"),
                Path.Combine(space.Destination, space.VersionDirectory),
                CopyRules.CommonFilters,
                cancel).ConfigureAwait(false));
        }

        Files = trees.Sum(tree => tree.Files.Count) + 1;
        Bytes = trees.Sum(tree => tree.Files.Sum(file => file.Bytes)) + ControlFileBytes;
        IReadOnlyList<CopyUnit> units = CopyUnits.Split(trees, copy.Jobs);
        var meter = new CopyMeter(units.Sum(unit => unit.Bytes), progress);
        await Parallel.ForEachAsync(
            units,
            new ParallelOptions { MaxDegreeOfParallelism = copy.Jobs, CancellationToken = cancel },
            async (unit, token) => await CopyUnitAsync(unit, meter, token).ConfigureAwait(false)).ConfigureAwait(false);
    }

    /// <summary>Copies the control file under another name, until it is whole: the server may be writing it at this moment.</summary>
    public async Task CopyControlFileAsync(CancellationToken cancel)
    {
        string pending = Path.Combine(copy.DataDirectory, CopyRules.PendingControlFile);
        for (int attempt = 1; ; attempt++)
        {
            await FetchAsync($"{copy.SourceDirectory.TrimEnd('/')}/{CopyRules.ControlFile}", pending, cancel).ConfigureAwait(false);
            if (ControlFileCheck.IsWhole(File.ReadAllBytes(pending)))
                return;
            if (attempt == 10)
                throw new CopyFailure(new Problem("the source's control file could not be read whole", $"Its checksum was wrong in {attempt} copies.", "Check the source with pg_controldata."), ExitCode.BadRsync);
        }
    }

    private async Task<CopyTree> TreeAsync(string name, string from, string to, IReadOnlyList<string> filters, CancellationToken cancel)
    {
        ProgramResult result = await CopyProgram.RunAsync(
            "rsync",
            ["--recursive", "--list-only", "--no-human-readable", .. Filters(filters), .. RemoteProgram.RsyncOverSsh(copy.Shell), RemoteProgram.Remote(copy.Shell, from.TrimEnd('/') + "/")],
            Plain,
            null,
            null,
            cancel).ConfigureAwait(false);

        // What vanishes while it is listed will not be copied, and need not be.
        if (result is not ProgramResult.Ended { ExitCode: 0 or 24 } listed)
            throw new CopyFailure(RemoteProgram.Failure(copy.Shell, result));
        return new CopyTree(name, from.TrimEnd('/') + "/", to.TrimEnd('/') + "/", filters, RsyncListing.Read(listed.Output));
    }

    private async Task CopyUnitAsync(CopyUnit unit, CopyMeter meter, CancellationToken cancel)
    {
        bool named = unit.Files is not null;
        string to = unit.Tree.To + unit.Below;
        Directory.CreateDirectory(to, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        long last = 0;
        ProgramResult result = await CopyProgram.RunAsync(
            "rsync",
            [
                .. CopyArguments(),
                "--info=progress2,stats1",
                .. named ? ["--files-from=-", "--from0", "--delete-missing-args"] : copy.OntoExisting ? ["--delete"] : Array.Empty<string>(),
                .. Filters(unit.Filters),
                RemoteProgram.Remote(copy.Shell, unit.Tree.From + unit.Below),
                to,
            ],
            Plain,
            named ? Encoding.UTF8.GetBytes(string.Concat(unit.Files!.Select(file => file + "\0"))) : null,
            piece =>
            {
                if (RsyncListing.ProgressBytes(piece) is { } bytes)
                {
                    // A file may have grown since it was listed; the total stays what it was.
                    bytes = Math.Min(bytes, unit.Bytes);
                    meter.Add(bytes - last);
                    last = bytes;
                }

                if (RsyncListing.ReceivedBytes(piece) is { } received)
                    Interlocked.Add(ref _moved, received);
            },
            cancel).ConfigureAwait(false);
        if (result is not ProgramResult.Ended { ExitCode: 0 } && !(copy.IgnoreVanishedFiles && result is ProgramResult.Ended { ExitCode: 24 }))
            throw new CopyFailure(RemoteProgram.Failure(copy.Shell, result));
        meter.Add(unit.Bytes - last);
    }

    // Onto existing files always by checksum: size and a modification time in whole seconds were seen to take files for equal
    // that were not. In place, so that no second copy of a file needs room and no temporary names appear beside a --delete.
    // In blocks of PostgreSQL's pages: a page is what differs, and rsync's own choice grows with the file, to 32 kB for 1 GB.
    private IReadOnlyList<string> CopyArguments() =>
    [
        "--archive",
        "--inplace",
        "--block-size=8192",
        "--no-human-readable",
        .. copy.OntoExisting ? ["--checksum"] : Array.Empty<string>(),
        .. copy.MaxRateKilobytes is { } rate ? [string.Create(CultureInfo.InvariantCulture, $"--bwlimit={Math.Max(1, rate / copy.Jobs)}")] : Array.Empty<string>(),
        .. copy.RsyncOptions,
        .. RemoteProgram.RsyncOverSsh(copy.Shell),
    ];

    private static IEnumerable<string> Filters(IEnumerable<string> rules) => rules.Select(rule => "--filter=" + rule);

    private async Task FetchAsync(string from, string to, CancellationToken cancel)
    {
        ProgramResult result = await CopyProgram.RunAsync(
            "rsync",
            ["--archive", "--ignore-times", .. RemoteProgram.RsyncOverSsh(copy.Shell), RemoteProgram.Remote(copy.Shell, from), to],
            Plain,
            null,
            null,
            cancel).ConfigureAwait(false);
        if (!result.Succeeded)
            throw new CopyFailure(RemoteProgram.Failure(copy.Shell, result));
    }
}

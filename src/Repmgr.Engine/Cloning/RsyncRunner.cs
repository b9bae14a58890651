using System.Globalization;
using System.Text;
using Npgsql;
using Repmgr.Core.Cloning;
using Repmgr.Core.Planning;
using Repmgr.Core.Problems;
using Repmgr.Engine.Files;
using Repmgr.Engine.Postgres;
using Repmgr.Engine.Processes;

namespace Repmgr.Engine.Cloning;

/// <summary>
/// The original's way: backup mode in one held session, rsync processes side by side meanwhile. The order is what makes it
/// safe. WAL is reserved before the backup starts; an old control file goes before the first file changes; the new one is
/// copied last and waits under another name; the WAL from start to stop is fetched while the slot still holds it.
/// </summary>
/// <remarks>https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP</remarks>
internal sealed class RsyncRunner(RsyncCopy copy, PostgresConnector connector, IProgress<CopyProgress> progress)
{
    private static readonly IReadOnlyDictionary<string, string?> Plain = ExternalProgram.PlainMessages;

    private long _moved;

    public async Task<StepOutcome> RunAsync(CancellationToken cancel)
    {
        ConnectResult connected = await connector.OpenAsync(copy.Source, cancel).ConfigureAwait(false);
        if (connected is not ConnectResult.Opened { Session: var opened })
            return Failed(new Problem("could not connect to the source", connected.Failure), ExitCode.DbConnection);

        var session = new BackupSession(opened, copy.Version);
        await using (session.ConfigureAwait(false))
        {
            try
            {
                return await InSessionAsync(session, cancel).ConfigureAwait(false);
            }
            catch (CopyFailure failure)
            {
                return Failed(failure.Problem, failure.ExitCode);
            }
            catch (NpgsqlException e)
            {
                return Failed(new Problem("the backup on the source failed", e.Message, "Run the command again; what is copied already is not copied again."), ExitCode.DbQuery);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return Failed(new Problem("could not write the copy", e.Message, "Make room or mend the cause, and run the command again; what is copied already is not copied again."), ExitCode.SystemFailure);
            }
        }
    }

    private async Task<StepOutcome> InSessionAsync(BackupSession session, CancellationToken cancel)
    {
        await session.PrepareAsync(cancel).ConfigureAwait(false);
        string tag = string.Create(CultureInfo.InvariantCulture, $"{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}");
        if (copy.Guard == WalGuard.TemporarySlot)
            await session.ReserveWalAsync($"repmgr_clone_{tag}_{Environment.ProcessId}", cancel).ConfigureAwait(false);
        progress.Report(new CopyProgress("waiting for the source's checkpoint"));
        await session.StartAsync($"repmgr_standby_clone_{tag}", cancel).ConfigureAwait(false);

        TargetDirectory.HideControlFile(copy.DataDirectory);
        File.Delete(Path.Combine(copy.DataDirectory, CopyRules.PendingControlFile));
        TargetDirectory.MakeSkeleton(copy);
        await WatchedAsync(session, CopyFilesAsync, cancel).ConfigureAwait(false);
        await CopyControlFileAsync(cancel).ConfigureAwait(false);

        BackupEnd end = await StopAsync(session, cancel).ConfigureAwait(false);
        progress.Report(new CopyProgress("fetching the WAL of the backup"));
        await CopyWalAsync(end, cancel).ConfigureAwait(false);
        DurableFile.Replace(Path.Combine(copy.DataDirectory, "backup_label"), Encoding.UTF8.GetBytes(end.LabelFile));
        if (TablespaceMap.Write(copy.Tablespaces, Destination) is { } map)
            DurableFile.Replace(Path.Combine(copy.DataDirectory, "tablespace_map"), Encoding.UTF8.GetBytes(map));
        return new StepOutcome.Done(string.Create(CultureInfo.InvariantCulture, $"{_moved} bytes moved; backup from {end.Label.Start} to {end.Stop} on timeline {end.Label.Timeline}"));
    }

    private string Destination(string location) =>
        copy.Destinations.First(space => space.Location == location).Destination;

    // Without its session the source leaves backup mode, and what is copied from then on cannot be used: no need to go on.
    private static async Task WatchedAsync(BackupSession session, Func<CancellationToken, Task> work, CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        Task<string> watch = session.WatchAsync(stop.Token);
        Task copying = work(stop.Token);
        try
        {
            if (await Task.WhenAny(copying, watch).ConfigureAwait(false) == watch && !cancel.IsCancellationRequested)
            {
                throw new CopyFailure(
                    new Problem("the backup's session on the source was lost", await watch.ConfigureAwait(false), "Run the command again; what is copied already is not copied again."),
                    ExitCode.BadPidFileOrStopBackup);
            }

            await copying.ConfigureAwait(false);
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(Ended(copying), Ended(watch)).ConfigureAwait(false);
        }

        static Task Ended(Task task) => task.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task CopyFilesAsync(CancellationToken cancel)
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

        IReadOnlyList<CopyUnit> units = CopyUnits.Split(trees, copy.Jobs);
        var meter = new CopyMeter(units.Sum(unit => unit.Bytes), progress);
        await Parallel.ForEachAsync(
            units,
            new ParallelOptions { MaxDegreeOfParallelism = copy.Jobs, CancellationToken = cancel },
            async (unit, token) => await CopyUnitAsync(unit, meter, token).ConfigureAwait(false)).ConfigureAwait(false);
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
    private IReadOnlyList<string> CopyArguments() =>
    [
        "--archive",
        "--inplace",
        "--no-human-readable",
        .. copy.OntoExisting ? ["--checksum"] : Array.Empty<string>(),
        .. copy.MaxRateKilobytes is { } rate ? [string.Create(CultureInfo.InvariantCulture, $"--bwlimit={Math.Max(1, rate / copy.Jobs)}")] : Array.Empty<string>(),
        .. copy.RsyncOptions,
        .. RemoteProgram.RsyncOverSsh(copy.Shell),
    ];

    private static IEnumerable<string> Filters(IEnumerable<string> rules) => rules.Select(rule => "--filter=" + rule);

    /// <summary>Copies the control file under another name, until it is whole: the server may be writing it at this moment.</summary>
    private async Task CopyControlFileAsync(CancellationToken cancel)
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

    private static async Task<BackupEnd> StopAsync(BackupSession session, CancellationToken cancel)
    {
        try
        {
            return await session.StopAsync(cancel).ConfigureAwait(false);
        }
        catch (NpgsqlException e)
        {
            throw new CopyFailure(
                new Problem("the backup could not be ended on the source", e.Message, "The copy cannot be used. Run the command again; what is copied already is not copied again."),
                ExitCode.BadPidFileOrStopBackup);
        }
    }

    /// <summary>Fetches every segment from start to stop and makes sure that each is there.</summary>
    private async Task CopyWalAsync(BackupEnd end, CancellationToken cancel)
    {
        IReadOnlyList<string> segments = WalFiles.Segments(end.Label.Timeline, end.Label.Start, end.Stop, copy.WalSegmentBytes);
        string to = Path.Combine(copy.DataDirectory, "pg_wal");
        List<string> names = [.. segments, .. WalFiles.History(end.Label.Timeline) is { } history ? [history] : Array.Empty<string>()];
        ProgramResult result = await CopyProgram.RunAsync(
            "rsync",
            [
                "--archive", "--ignore-times", "--ignore-missing-args", "--files-from=-", "--from0",
                .. RemoteProgram.RsyncOverSsh(copy.Shell),
                RemoteProgram.Remote(copy.Shell, $"{copy.SourceDirectory.TrimEnd('/')}/pg_wal/"),
                to + "/",
            ],
            Plain,
            Encoding.UTF8.GetBytes(string.Concat(names.Select(name => name + "\0"))),
            null,
            cancel).ConfigureAwait(false);
        if (!result.Succeeded)
            throw new CopyFailure(RemoteProgram.Failure(copy.Shell, result));

        foreach (string segment in segments)
        {
            if (new FileInfo(Path.Combine(to, segment)) is not { Exists: true } file || file.Length != copy.WalSegmentBytes)
            {
                throw new CopyFailure(
                    new Problem(
                        $"the source has removed WAL segment {segment}, which the copy needs",
                        "wal_keep_size was too small for the time the copy took.",
                        "Leave -w out, so that a replication slot holds the WAL, or raise wal_keep_size."),
                    ExitCode.BadRsync);
            }

            // As pg_basebackup does: these segments are the source's to archive, not the standby's once it is promoted.
            MakeEmpty(Path.Combine(to, "archive_status", segment + ".done"));
        }
    }

    private static void MakeEmpty(string path)
    {
        using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
    }

    private static StepOutcome.Failed Failed(Problem problem, ExitCode code) => new(problem, code);
}

/// <summary>A copy that cannot go on, from deep inside one.</summary>
internal sealed class CopyFailure(Problem problem, ExitCode exitCode) : Exception(problem.Message)
{
    public CopyFailure((Problem Problem, ExitCode ExitCode) failure) : this(failure.Problem, failure.ExitCode) { }

    public Problem Problem { get; } = problem;

    public ExitCode ExitCode { get; } = exitCode;
}

/// <summary>Adds up what processes side by side have done.</summary>
internal sealed class CopyMeter(long total, IProgress<CopyProgress> progress)
{
    private long _done;

    public void Add(long bytes)
    {
        if (bytes != 0)
            progress.Report(new CopyProgress("copying", Interlocked.Add(ref _done, bytes), total));
    }
}

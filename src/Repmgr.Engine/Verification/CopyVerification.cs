using Npgsql;
using Repmgr.Core.Cloning;
using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Verification;
using Repmgr.Engine.Cloning;
using Repmgr.Engine.Cloning.Direct;
using Repmgr.Engine.Files;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Verification;

/// <summary>How a comparison ended.</summary>
public abstract record VerifyOutcome
{
    private VerifyOutcome() { }

    public sealed record Compared(VerifyResult Result) : VerifyOutcome;

    public sealed record Failed(Problem Problem, ExitCode ExitCode) : VerifyOutcome;
}

/// <summary>
/// Compares the files here with those of another server of the same cluster, and changes nothing on either side. First all pages, by
/// hash; then, once the side that is behind has caught up, those once more that could not be judged.
/// </summary>
public sealed class CopyVerification(VerifyRequest request, PostgresConnector connector, IProgress<CopyProgress> progress, TimeProvider time)
{
    // The second time round, what was seen on one side only after the first wait must be on both after the second.
    private const int Rounds = 2;

    private readonly LocalCopy _here = new(request.DataDirectory);

    public async Task<VerifyOutcome> RunAsync(CancellationToken cancel)
    {
        try
        {
            return new VerifyOutcome.Compared(await CompareAsync(cancel).ConfigureAwait(false));
        }
        catch (CopyFailure failure)
        {
            return new VerifyOutcome.Failed(failure.Problem, failure.ExitCode);
        }
        catch (NpgsqlException e)
        {
            return new VerifyOutcome.Failed(new Problem($"the comparison with {request.SourceName} failed", FailureText.Of(e), "Nothing was changed; run the command again."), ExitCode.DbQuery);
        }
        catch (FileListException e)
        {
            return new VerifyOutcome.Failed(
                new Problem($"the list of files could not be kept in \"{Path.GetTempPath()}\"", e.Message, "Nothing was changed. Make room there, or name another directory in the environment variable TMPDIR."), ExitCode.SystemFailure);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new VerifyOutcome.Failed(new Problem("the files here could not be read", e.Message, "Nothing was changed. Run repmgr as the operating-system user that PostgreSQL runs as here."), ExitCode.SystemFailure);
        }
    }

    private async Task<VerifyResult> CompareAsync(CancellationToken cancel)
    {
        long began = time.GetTimestamp();
        SourceIdentity identity = await IdentityAsync(cancel).ConfigureAwait(false);
        SourceConnections connections = await SourceConnections.OpenAsync(request.On, request.Jobs, connector, identity, cancel).ConfigureAwait(false);
        await using (connections.ConfigureAwait(false))
        {
            await using PostgresSession? server = await LocalServerAsync(cancel).ConfigureAwait(false);
            return await CompareAsync(identity, connections, server, began, cancel).ConfigureAwait(false);
        }
    }

    private async Task<VerifyResult> CompareAsync(SourceIdentity identity, SourceConnections connections, PostgresSession? server, long began, CancellationToken cancel)
    {
        progress.Report(new CopyProgress("listing the files"));
        (SettledPositions settled, string? divergence, bool mayBeTorn) = await SettleAsync(connections, cancel).ConfigureAwait(false);
        using var files = new SortedFiles(Scratch(), ListedFile.LargestFirst);
        var lone = new LoneFiles(_here, connections, await ListAsync(identity, files, cancel).ConfigureAwait(false));
        var work = new VerifyWork(_here, identity, new RateLimit(request.MaxBytesPerSecond, time), new CopyMeter(files.Bytes, progress, "comparing"))
        {
            Settled = settled,
            ChecksHere = !mayBeTorn,
        };
        await ComparePagesAsync(connections, work, files.InOrder(), cancel).ConfigureAwait(false);
        (bool caughtUp, bool isFinal) = await LookAgainAsync(connections, work, lone, server, cancel).ConfigureAwait(false);
        (await connections.OnOneAsync(connection => SourceIdentity.ReadAsync(connection, CancellationToken.None), cancel).ConfigureAwait(false)).MustBe(identity);

        IReadOnlyList<ListedFile> lost = isFinal || settled.Diverged ? lone.OnlyThere : await lone.LostAsync(work.Settled, identity.PageBytes, cancel).ConfigureAwait(false);
        IReadOnlyList<ListedFile> extra = isFinal || settled.Diverged ? lone.OnlyHere : [];
        IReadOnlyList<FileFinding> findings =
        [
            .. work.Tally.Files.SelectMany(entry => Findings(entry.File.Path, entry.Tally)),
            .. lost.Select(file => new FileFinding(file.Path, FileFault.MissingHere, [])),
            .. extra.Select(file => new FileFinding(file.Path, FileFault.ExtraHere, [])),
        ];
        return new VerifyResult
        {
            Findings = await connections.OnOneAsync(connection => VerifySource.NameAsync(connection, findings), cancel).ConfigureAwait(false),
            Unsettled =
            [
                .. work.Tally.Files.Where(entry => entry.Tally.IsOpen).Select(entry => new UnsettledFile(entry.File.Path, entry.Tally.Unsettled.Count + entry.Tally.OneSided.Count)),
                .. lone.OnlyThere.Except(lost).Concat(lone.OnlyHere.Except(extra)).Select(file => new UnsettledFile(file.Path, 0)),
            ],
            Divergence = divergence,
            Files = files.Count,
            BytesCompared = work.Compared,
            BytesMoved = work.Moved,
            Jobs = connections.Count,
            Duration = time.GetElapsedTime(began),
            SettledHere = work.Settled.Here,
            SettledOnSource = work.Settled.Source,
            CaughtUp = caughtUp,
        };
    }

    private static IEnumerable<FileFinding> Findings(string path, FileTally tally) =>
        new[] { (FileFault.Differs, tally.Differs), (FileFault.DamagedHere, tally.DamagedHere), (FileFault.DamagedOnSource, tally.DamagedOnSource) }
            .Where(entry => !entry.Item2.IsEmpty)
            .Select(entry => new FileFinding(path, entry.Item1, entry.Item2.Ordered()));

    /// <returns>Whether the last wait was a success, and whether what is on one side only by now should be on both.</returns>
    private async Task<(bool CaughtUp, bool IsFinal)> LookAgainAsync(SourceConnections connections, VerifyWork work, LoneFiles lone, PostgresSession? server, CancellationToken cancel)
    {
        var catchUp = new CatchUp(server, connections, request.CatchUpWithin, time);
        int inARow = 0;
        for (int round = 0; round < Rounds && (lone.Any || work.Tally.Files.Any(entry => entry.Tally.IsOpen)); round++)
        {
            progress.Report(new CopyProgress(server is null ? "looking again at what differs" : "waiting until both have the same WAL"));
            inARow = await catchUp.WaitAsync(cancel).ConfigureAwait(false) ? inARow + 1 : 0;
            bool isFinal = inARow == Rounds;
            (work.Settled, _, _) = await SettleAsync(connections, cancel).ConfigureAwait(false);
            await ComparePagesAsync(connections, work, await lone.LookAgainAsync(cancel).ConfigureAwait(false), cancel).ConfigureAwait(false);
            List<OpenPages> open = [.. work.Tally.Files.Where(entry => entry.Tally.IsOpen).Select(entry => Take(entry.File, entry.Tally, isFinal))];
            await connections.RunAsync(open, (connection, stop) => new PartVerifier(work, connection, stop).LookAgainAsync, cancel).ConfigureAwait(false);
            if (inARow == 0)
                return (false, false);
        }

        return (inARow > 0, inARow == Rounds);
    }

    private static OpenPages Take(CopyFile file, FileTally tally, bool isFinal)
    {
        (PageRanges unsettled, PageRanges oneSided) = tally.TakeOpen();
        return new OpenPages(file, unsettled, oneSided, isFinal);
    }

    /// <param name="connections">Compare.</param>
    /// <param name="work">What they work with.</param>
    /// <param name="files">The largest first.</param>
    /// <param name="cancel">Gives up.</param>
    private static async Task ComparePagesAsync(SourceConnections connections, VerifyWork work, IEnumerable<ListedFile> files, CancellationToken cancel)
    {
        using var turns = new CopyTurns(CopyParts.Split(files.Select(CopyFile.Of)));
        await connections.RunAsync<CopyRequest>(turns.Next, (connection, stop) => new PartVerifier(work, connection, stop).CompareAsync, cancel).ConfigureAwait(false);
    }

    private async Task<SourceIdentity> IdentityAsync(CancellationToken cancel)
    {
        ConnectResult connected = await connector.OpenAsync(SignsOfLife.AskedFor(request.On), cancel).ConfigureAwait(false);
        if (connected is not ConnectResult.Opened { Session: var session })
            throw new CopyFailure(new Problem($"could not connect to {request.SourceName}", connected.Failure), ExitCode.DbConnection);
        await using (session.ConfigureAwait(false))
            return await session.TryAsync(SourceIdentity.ReadAsync, Timeout.InfiniteTimeSpan, cancel).ConfigureAwait(false);
    }

    /// <summary>A session with the server that runs on these files; null: none does, or it cannot be reached.</summary>
    private async Task<PostgresSession?> LocalServerAsync(CancellationToken cancel)
    {
        if (request.Local is null || LocalServer.Look(request.DataDirectory) is not LocalServerState.Running
            || await connector.OpenAsync(request.Local, cancel).ConfigureAwait(false) is not ConnectResult.Opened { Session: var session })
            return null;
        if (LocalServer.WhyNotOurs(request.DataDirectory, session.Connection.ProcessID) is null)
            return session;
        await session.DisposeAsync().ConfigureAwait(false);
        return null;
    }

    private async Task<(SettledPositions Settled, string? Divergence, bool MayBeTorn)> SettleAsync(SourceConnections connections, CancellationToken cancel)
    {
        (CopyHistory here, bool isRunning, bool mayBeTorn) = await _here.LookAsync(request.ControlDataProgram, cancel).ConfigureAwait(false);
        ServerPosition there = await connections.OnOneAsync(connection => VerifySource.PositionAsync(connection, CancellationToken.None), cancel).ConfigureAwait(false);
        TimelineHistory? history = await connections.OnOneAsync(connection => VerifySource.HistoryAsync(connection, there.Timeline), cancel).ConfigureAwait(false);
        string? divergence = Divergence.Of(here, new CopyHistory(there.Timeline, there.Redo, history));
        return (new SettledPositions(here.Settled, there.Redo, !there.InRecovery, !isRunning, divergence is not null), divergence, mayBeTorn);
    }

    /// <summary>Lists both sides.</summary>
    /// <param name="identity">Who is to answer.</param>
    /// <param name="both">Takes the files to be compared.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The files that are on one side only.</returns>
    private async Task<IReadOnlyList<VerifiedFile>> ListAsync(SourceIdentity identity, SortedFiles both, CancellationToken cancel)
    {
        var listing = new SourceListing(request.On, connector, identity);
        IReadOnlyList<TablespaceView> tablespaces = await listing.TablespacesAsync(cancel).ConfigureAwait(false);
        var rule = new CopyList(tablespaces.Select(space => space.Oid), request.Source.TablespaceVersionDirectory);
        using ListedTree here = new(rule, Scratch()), there = new(rule, Scratch());
        _here.List(here, request.Source.TablespaceVersionDirectory);
        await listing.ListAsync(there, cancel).ConfigureAwait(false);

        var garbage = new GarbageLimit();
        var lone = new List<VerifiedFile>();
        foreach (VerifiedFile file in VerifiedFile.Of(here.Files, there.Files))
        {
            if (file.Side == FileSide.Both)
                both.Add(file.File);
            else
                lone.Add(file);
            garbage.Hold();
        }

        return lone;
    }

    // A comparison writes nothing where it looks.
    private static string Scratch() => Path.Combine(Path.GetTempPath(), "repmgr-" + Path.GetRandomFileName());
}

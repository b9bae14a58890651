using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Postgres;
using Repmgr.Core.Postgres.Wal;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Failover;

/// <summary>Serves this node's WAL to other agents, and fetches theirs (R11).</summary>
internal sealed class WalRescue(AgentNode node, ReceiverCut receiver, Peers peers, string stateDirectory, TimeSpan within, ILog log)
{
    // Below what the collector keeps apart as a large object.
    private const int Piece = 64 * 1024;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(5);

    private string Staging => Path.Combine(stateDirectory, "rescue");

    /// <summary>A piece of a file of WAL, of at most 64 kB; empty at its end; null: there is no such file.</summary>
    public byte[]? Serve(string name, long offset)
    {
        bool isWal = name.Length == 24 && name.All(char.IsAsciiHexDigit);
        bool isHistory = name.Length == 16 && name.EndsWith(".history", StringComparison.Ordinal) && name.Take(8).All(char.IsAsciiHexDigit);
        if (!isWal && !isHistory)
            return null;
        try
        {
            using FileStream file = new(
                Path.Combine(node.DataDirectory, "pg_wal", name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            byte[] piece = new byte[Math.Clamp(file.Length - offset, 0, Piece)];
            file.Position = offset;
            file.ReadExactly(piece);
            return piece;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException)
        {
            return null;
        }
    }

    /// <summary>The timeline of the newest WAL that lies on this node; null: there is none.</summary>
    public int? Timeline()
    {
        try
        {
            using WalOnDisk? wal = WalOnDisk.Open(node.DataDirectory);
            return wal?.Timelines[0];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Fetches what the other node has beyond our own WAL, and returns when it was replayed.</summary>
    public async Task<StepOutcome> FetchAsync(AgentStep.FetchWal step, CancellationToken cancel)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(within);
        try
        {
            return await FetchWithinAsync(step, deadline.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new StepOutcome.Failed($"it took longer than {within.TotalSeconds:0.#} s");
        }
        finally
        {
            if (Directory.Exists(Staging))
                Directory.Delete(Staging, recursive: true);
        }
    }

    private async Task<StepOutcome> FetchWithinAsync(AgentStep.FetchWal step, CancellationToken cancel)
    {
        // A receiver would write the same files.
        StepOutcome cut = await receiver.CutAsync(cancel);
        if (cut is not StepOutcome.Stopped { Position: { } end })
            return cut as StepOutcome.Failed ?? new StepOutcome.Failed("the end of the own WAL is not known");
        using (WalOnDisk? own = WalOnDisk.Open(node.DataDirectory))
        {
            if (own is null)
                return new StepOutcome.Failed("there is no WAL to go on from");
            ulong segmentBytes = own.SegmentBytes;
            Directory.CreateDirectory(Staging);
            if (await peers.GetAsync(step.From, AgentApi.TimelinePath, within, cancel) is not { } answer
                || !int.TryParse(answer, NumberStyles.None, CultureInfo.InvariantCulture, out int timeline))
                return new StepOutcome.Failed($"node {step.From} does not say which timeline its WAL is of");
            if (await FetchHistoryAsync(step.From, timeline, cancel) is not { } history)
                return new StepOutcome.Failed($"the history of timeline {timeline} could not be fetched");
            for (ulong segment = end.Bytes / segmentBytes; segment * segmentBytes < step.Until.Bytes; segment++)
            {
                int itsTimeline = history.OfSegment(segment, segmentBytes);
                string name = new WalFileName(itsTimeline, segment).Text(segmentBytes);
                ulong from = segment == end.Bytes / segmentBytes && own.Timelines[0] == itsTimeline ? end.Bytes % segmentBytes / Piece * Piece : 0;
                ulong until = Math.Min(segmentBytes, step.Until.Bytes - (segment * segmentBytes));
                if (!await FetchSegmentAsync(step.From, name, (long)from, (long)until, (long)segmentBytes, cancel))
                    return new StepOutcome.Failed($"segment {name} could not be fetched");
            }
        }

        using (WalOnDisk? joined = WalOnDisk.Open(node.DataDirectory, Staging))
        {
            if (joined is null || new WalWalk(joined).EndFrom(end) is not { } reached || reached < step.Until)
                return new StepOutcome.Failed("what was fetched does not continue the own WAL up to the announced end");
        }

        WalPlacement.Place(Staging, Path.Combine(node.DataDirectory, "pg_wal"));
        LocalServer.Reload(node.DataDirectory);
        return await AwaitReplayAsync(step.Until, cancel);
    }

    private async Task<TimelineHistory?> FetchHistoryAsync(NodeId source, int timeline, CancellationToken cancel)
    {
        if (timeline == 1)
            return TimelineHistory.First;
        string name = WalFileName.History(timeline);
        if (await peers.GetAsync(source, Place(name, 0), within, cancel) is not [_, ..] content)
            return null;
        await File.WriteAllBytesAsync(Path.Combine(Staging, name), content, cancel);
        return TimelineHistory.TryParse(timeline, System.Text.Encoding.UTF8.GetString(content), out TimelineHistory history) ? history : null;
    }

    /// <summary>What this node has of the segment is taken from itself, and what nobody has is left empty: a segment always has its full length.</summary>
    private async Task<bool> FetchSegmentAsync(NodeId source, string name, long from, long until, long length, CancellationToken cancel)
    {
        string path = Path.Combine(Staging, name);
        if (from > 0)
            File.Copy(Path.Combine(node.DataDirectory, "pg_wal", name), path, overwrite: true);
        await using FileStream file = new(path, new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        file.SetLength(from);
        file.Position = from;
        while (file.Position < until)
        {
            if (await peers.GetAsync(source, Place(name, file.Position), within, cancel) is not [_, ..] piece)
                return false;
            await file.WriteAsync(piece, cancel);
        }

        file.SetLength(length);
        return true;
    }

    private static string Place(string name, long offset) => string.Create(CultureInfo.InvariantCulture, $"{AgentApi.WalPath}{name}?offset={offset}");

    private async Task<StepOutcome> AwaitReplayAsync(Lsn until, CancellationToken cancel)
    {
        ConnectResult connected = await node.Connector.OpenAsync(node.Conninfo, within, cancel);
        if (connected is not ConnectResult.Opened opened)
            return new StepOutcome.Failed($"the own server cannot be reached: {connected.Failure}");
        await using PostgresSession session = opened.Session;
        while (true)
        {
            Answer<string?> answer = await session.ScalarAsync<string>("SELECT pg_catalog.pg_last_wal_replay_lsn()::text", within, cancel);
            if (answer is Answer<string?>.Failed failed)
                return new StepOutcome.Failed($"replay cannot be followed: {failed.Reason}");
            if (answer is Answer<string?>.Got { Value: { } text } && Lsn.TryParse(text, out Lsn replayed) && replayed >= until)
            {
                log.Notice($"WAL up to {replayed} was fetched and replayed", "Nothing that was committed on the former primary up to there is lost.");
                return new StepOutcome.Stopped(replayed);
            }

            // It looks again when its configuration is read anew, otherwise every wal_retrieve_retry_interval (5 s).
            LocalServer.Reload(node.DataDirectory);
            await Task.Delay(Tick, cancel);
        }
    }
}

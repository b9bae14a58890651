using System.Globalization;
using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning.Following;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Files;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Observation;

/// <summary>Looks at the standby that is to be pointed elsewhere.</summary>
public static class StandbyLook
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    // So long must replay stand still, with WAL left behind it, to count as at rest.
    private static readonly TimeSpan RestsAfter = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan WatchAtMost = TimeSpan.FromSeconds(5);

    /// <summary>How its source can be changed.</summary>
    /// <param name="look">What it said.</param>
    /// <param name="dataDirectory">The data directory on this machine, if one is known.</param>
    public static FollowerView Follower(ReplicationLook look, string? dataDirectory)
    {
        string? here = dataDirectory is not null && IsOwn(dataDirectory, look.Port) ? dataDirectory : null;
        ReplicationSource? source = look.Source;
        if (source is null && here is not null)
        {
            // A role without pg_read_all_settings is not shown primary_conninfo; its operating-system user is.
            IReadOnlyDictionary<string, string> settings = AutoConf.Read(here);
            source = ReplicationLook.SourceFrom(settings.GetValueOrDefault("primary_conninfo"), settings.GetValueOrDefault("primary_slot_name"));
        }

        return new FollowerView(look.Rights, source, here);
    }

    /// <summary>How far it has come. Waits for replay to come to rest where there is more WAL than was replayed, at most some seconds.</summary>
    /// <param name="session">To the standby.</param>
    /// <param name="probe">What it said of itself.</param>
    /// <param name="identity">What it said over a replication connection of its own, which knows the timeline best.</param>
    /// <param name="dataDirectory">The data directory on this machine, if one is known.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<Answer<CopyEnd>> CopyAsync(
        PostgresSession session, NodeProbe.Standby probe, ReplicationAnswer identity, string? dataDirectory, CancellationToken cancel)
    {
        long began = TimeProvider.System.GetTimestamp();
        long still = began;
        Lsn last = Lsn.Zero;
        while (true)
        {
            Answer<Position> answer = await PositionAsync(session, cancel).ConfigureAwait(false);
            if (answer is Answer<Position>.Failed failed)
                return new Answer<CopyEnd>.Failed(failed.SqlState, failed.Reason);

            Position now = ((Answer<Position>.Got)answer).Value;
            if (now.Replayed != last)
                (last, still) = (now.Replayed, TimeProvider.System.GetTimestamp());
            bool rests = now.Replayed >= now.Received
                || (now.Free && TimeProvider.System.GetElapsedTime(still) >= RestsAfter);
            if (rests || !now.Free || TimeProvider.System.GetElapsedTime(began) >= WatchAtMost)
                return new Answer<CopyEnd>.Got(End(probe, identity, dataDirectory, now, rests));

            await Task.Delay(LookEvery, cancel).ConfigureAwait(false);
        }
    }

    private static CopyEnd End(NodeProbe.Standby probe, ReplicationAnswer identity, string? dataDirectory, Position now, bool rests)
    {
        (int timeline, TimelineHistory? history) = identity is ReplicationAnswer.Identified seen
            ? (seen.Timeline, seen.History)
            : (probe.Server.Timeline, LocalHistory(dataDirectory, probe.Server.Timeline));
        return new CopyEnd(probe.Server.SystemIdentifier, timeline, now.Replayed, Lsn.Max(now.Received, now.Replayed), rests, history);
    }

    internal static TimelineHistory? LocalHistory(string? dataDirectory, int timeline)
    {
        if (timeline == 1)
            return TimelineHistory.First;
        if (dataDirectory is null)
            return null;

        string path = Path.Combine(dataDirectory, "pg_wal", TimelineHistory.FileName(timeline));
        try
        {
            return TimelineHistory.TryParse(timeline, File.ReadAllText(path), out TimelineHistory history) ? history : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // The server in this directory must be the one we are connected to: the configuration could name another's.
    private static bool IsOwn(string dataDirectory, int port)
    {
        try
        {
            if (LocalServer.Look(dataDirectory) is not LocalServerState.Running running || running.File.Port != port)
                return false;

            using FileStream writable = new(AutoConf.PathIn(dataDirectory), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static async Task<Answer<Position>> PositionAsync(PostgresSession session, CancellationToken cancel)
    {
        const string sql =
            """
            SELECT coalesce(pg_last_wal_replay_lsn()::text, '0/0'), coalesce(pg_last_wal_receive_lsn()::text, '0/0'),
                   NOT pg_is_wal_replay_paused() AND current_setting('recovery_min_apply_delay') IN ('0', '0ms')
            """;
        Answer<IReadOnlyList<Position>> answer = await session.QueryAsync(
            sql,
            row =>
            {
                _ = Lsn.TryParse(row.GetString(0), out Lsn replayed);
                _ = Lsn.TryParse(row.GetString(1), out Lsn received);
                return new Position(replayed, received, row.GetBoolean(2));
            },
            Within,
            cancel).ConfigureAwait(false);
        return answer switch
        {
            Answer<IReadOnlyList<Position>>.Got { Value: [var position] } => new Answer<Position>.Got(position),
            Answer<IReadOnlyList<Position>>.Failed failed => new Answer<Position>.Failed(failed.SqlState, failed.Reason),
            _ => throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"one row was asked for: {sql}")),
        };
    }

    /// <param name="Replayed">End of what was replayed.</param>
    /// <param name="Received">End of what was received.</param>
    /// <param name="Free">Replay is neither paused nor delayed on purpose.</param>
    private readonly record struct Position(Lsn Replayed, Lsn Received, bool Free);
}

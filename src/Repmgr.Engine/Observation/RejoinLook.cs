using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Hosts;
using Repmgr.Core.Planning.Rejoining;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Failover;
using Repmgr.Engine.Files;
using Repmgr.Engine.Hosts;

namespace Repmgr.Engine.Observation;

/// <summary>Looks at all that decides whether a stopped node can come back with its data.</summary>
/// <param name="follow">Looks at the node that is to be followed.</param>
public sealed class RejoinLook(FollowLook follow)
{
    /// <param name="self">The node's record.</param>
    /// <param name="settings">Its configuration.</param>
    /// <param name="primary">The primary.</param>
    /// <param name="own">The node's conninfo.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>Null with what speaks against even looking.</returns>
    public async Task<(RejoinSeen? Seen, Problem? Problem)> LookAsync(NodeRecord self, Settings settings, NodeView primary, Conninfo own, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(self);
        LocalHostLook host = await LocalHost.LookAsync(settings, null, cancel);
        if (host.DataDirectory is not Detected<string>.Found { Value: var directory })
            return (null, ((Detected<string>.Unclear)host.DataDirectory).Problem);
        if (host.Bindir is not Detected<string>.Found { Value: var bindir })
            return (null, ((Detected<string>.Unclear)host.Bindir).Problem);
        if (LocalServer.Look(directory) is LocalServerState.Running { File: var running })
            return (null, Running(self, directory, running.Pid));

        (ControlData? control, Problem? unread) = await ControlFile.ReadAsync(new PostgresBinaries(bindir), directory, cancel);
        if (control is null)
            return (null, unread);
        if (control.BackupStart != Lsn.Zero)
            return (null, new Problem($"\"{directory}\" is a backup that was restored and has not been replayed to its end", null, "Clone this node with \"repmgr standby clone --force\"."));
        try
        {
            return (await SeeAsync(self, directory, bindir, control, primary, own, cancel), null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (null, new Problem($"\"{directory}\" cannot be read", e.Message, "Run repmgr as the operating system's user that owns it."));
        }
    }

    // The end of its WAL is looked for in the files: the control file names the beginning of the last record, and after a crash not even that.
    private async Task<RejoinSeen> SeeAsync(NodeRecord self, string directory, string bindir, ControlData control, NodeView primary, Conninfo own, CancellationToken cancel)
    {
        Lsn end = await WalOnDisk.EndAsync(directory, null, new PostgresBinaries(bindir), cancel) ?? new Lsn(control.End.Position.Bytes + 1);
        using WalOnDisk? wal = WalOnDisk.Open(directory);
        int timeline = Math.Max(control.End.Timeline, wal?.Timelines[0] ?? 0);
        var copy = new CopyEnd(control.SystemIdentifier, timeline, end, end, ReplayRests: true, StandbyLook.LocalHistory(directory, timeline));
        IReadOnlyDictionary<string, string> configured = AutoConf.Read(directory);
        return new RejoinSeen(
            directory, control.State, copy, new PostgresVersion(LocalHost.MajorOf(directory) * 10000 ?? 0),
            ReplicationLook.SourceFrom(configured.GetValueOrDefault("primary_conninfo"), configured.GetValueOrDefault("primary_slot_name")),
            await follow.UpstreamAsync(self, primary, own, cancel));
    }

    private static Problem Running(NodeRecord self, string directory, int pid) => new(
        $"the server of {self.Label} is running",
        $"Process {pid} is at work in \"{directory}\".",
        "A running standby is pointed at another node with \"repmgr standby follow\". A server that runs as a primary beside the real one has to be stopped first: pg_ctl -m fast stop.");
}

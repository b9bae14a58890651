using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Postgres;
using Repmgr.Core.Postgres.Wal;
using Repmgr.Core.Settings;
using Repmgr.Engine.Files;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Processes;

namespace Repmgr.Engine.Failover;

/// <summary>
/// Makes the data of a node anew that went another way than the holder's (R12): what only it has is kept, then repmgr's own clone moves what
/// differs. The clone runs as a program of its own: its memory is not the daemon's.
/// </summary>
internal sealed class Rejoin(
    AgentNode node, ServerEyes eyes, ServerFence fence, TermSlots slots, string divergedDirectory, Func<NodeId, KnownNode?> known, Action<ClusterEvent> announce, ILog log)
{
    private static readonly TimeSpan Within = TimeSpan.FromHours(24);

    public async Task<StepOutcome> RebuildAsync(AgentStep.Rebuild step, Lsn fork, CancellationToken cancel)
    {
        if (node.Settings.Rejoin == RejoinPolicy.Never)
            return new StepOutcome.Failed("rejoin = never: this node is to be cloned by hand with \"repmgr standby clone --force\"");
        if (known(step.Holder) is not { } source || !Conninfo.TryParse(source.Conninfo, out Conninfo? conninfo, out _))
            return new StepOutcome.Failed($"it is not known how node {step.Holder} is reached");
        if (await fence.FenceAsync(isOrderly: false, cancel) is not StepOutcome.Stopped stopped)
            return new StepOutcome.Failed("the server could not be stopped");
        if (await node.LeftoverAsync(cancel) is { } leftover)
            return new StepOutcome.Failed(leftover);
        if (stopped.Position is { } end && await KeepAsync(fork, step.Term, end, cancel) is { } obstacle)
            return new StepOutcome.Failed(obstacle);
        if (await slots.ReserveAsync(step.Term, step.Holder, cancel) is { } unreserved)
            return new StepOutcome.Failed(unreserved);

        log.Notice($"the data of this node are made anew from node {step.Holder}", "Only what differs is moved.");
        eyes.Forget();
        string program = Path.Combine(node.Settings.RepmgrBindir ?? Path.GetDirectoryName(Environment.ProcessPath) ?? "", "repmgr");
        ProgramResult result = await ExternalProgram.RunAsync(program, Arguments(conninfo), null, Within, cancel);
        if (!result.Succeeded)
        {
            log.Error("this node could not be cloned", result.Explain(program), "It is tried again. Until it succeeds the server stays down.");
            return new StepOutcome.Failed("the clone failed");
        }

        SafeBoot.Open(node.DataDirectory);
        eyes.Nudge();
        return new StepOutcome.Done();
    }

    private List<string> Arguments(Conninfo source)
    {
        List<string> arguments = ["-f", node.ConfigFile, "-D", node.DataDirectory, "--force", "--fast-checkpoint"];
        Add("-h", source["host"]);
        Add("-p", source["port"]);
        Add("-U", source["user"]);
        Add("-d", source["dbname"]);
        return [.. arguments, "standby", "clone"];

        void Add(string option, string? value)
        {
            if (value is not null)
                arguments.AddRange([option, value]);
        }
    }

    /// <summary>Keeps the WAL from the fork to the end, and says what range it is. Why not; null when it is kept, or there is none.</summary>
    private async Task<string?> KeepAsync(Lsn fork, Term term, Lsn end, CancellationToken cancel)
    {
        string place = Path.Combine(divergedDirectory, string.Create(CultureInfo.InvariantCulture, $"before-term-{term}"));
        // What a clone that was interrupted left in pg_wal is not what there was.
        if (end <= fork || Directory.Exists(place))
            return null;
        try
        {
            using WalOnDisk? wal = WalOnDisk.Open(node.DataDirectory);
            if (wal is null)
                return null;
            string beside = Directory.CreateDirectory(place + ".part").FullName;
            for (ulong segment = fork.Bytes / wal.SegmentBytes; segment * wal.SegmentBytes < end.Bytes; segment++)
                Copy(wal, segment, beside);
            DurableFile.FlushDirectory(beside);
            Directory.Move(beside, place);
            DurableFile.FlushDirectory(divergedDirectory);
            await ReportAsync(place, wal.Timelines[0], fork, end, cancel);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"the WAL that only this node has could not be kept: {e.Message}";
        }
    }

    private async Task ReportAsync(string place, int timeline, Lsn fork, Lsn end, CancellationToken cancel)
    {
        long? commits = await LostWal.CommitsAsync(node.Binaries, place, timeline, fork, end, cancel);
        string worth = commits is { } number
            ? string.Create(CultureInfo.InvariantCulture, $"{number} transactions, probes of its agent among them")
            : "pg_waldump does not say how many transactions";
        log.Warning(
            $"this node has WAL that the primary does not have: {fork} to {end}",
            $"In it lie {worth}. It is kept in \"{place}\".",
            string.Create(CultureInfo.InvariantCulture, $"Look at it with \"pg_waldump -p {place} -t {timeline} -s {fork}\". Remove the directory when it is not needed any more."));
        announce(new ClusterEvent(
            node.Id, EventName.NodeRejoin, Successful: true, $"node {node.Id} had WAL that the primary does not have: {fork} to {end}; in it lie {worth}; it is kept in \"{place}\" on that node"));
    }

    private void Copy(WalOnDisk wal, ulong segment, string place)
    {
        string? name = wal.Timelines.Select(timeline => new WalFileName(timeline, segment).Text(wal.SegmentBytes))
            .FirstOrDefault(name => File.Exists(Path.Combine(node.DataDirectory, "pg_wal", name)));
        if (name is null)
            return;
        File.Copy(Path.Combine(node.DataDirectory, "pg_wal", name), Path.Combine(place, name), overwrite: true);
        DurableFile.Flush(Path.Combine(place, name));
    }
}

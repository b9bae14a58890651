using Repmgr.Core.Cloning;
using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning.Following;
using Repmgr.Core.Planning.Promotion;
using Repmgr.Core.Planning.Services;
using Repmgr.Core.Postgres;

namespace Repmgr.Core.Planning;

/// <summary>
/// One thing to do, as data. Each step can be repeated: its runner first looks whether the goal is reached.
/// <see cref="Describe"/> is what <c>--dry-run</c>, the log and the tests read.
/// </summary>
public abstract record Step
{
    private Step() { }

    /// <summary>An imperative clause in lower case without a full stop: <c>promote node "node2" (ID: 2)</c>.</summary>
    public abstract string Describe();

    /// <summary>Promote the local standby and wait until it is out of recovery and writable.</summary>
    /// <param name="On">How to reach it.</param>
    /// <param name="Node">The node to promote.</param>
    /// <param name="Way">How it is told to.</param>
    /// <param name="Within">How long the promotion may take.</param>
    public sealed record Promote(Conninfo On, NodeRecord Node, PromoteWay Way, TimeSpan Within) : Step
    {
        public override string Describe() => $"promote {Node.Label} to primary{Way.Describe()}";
    }

    /// <summary>Let a standby stream from another server: change its source in the configuration and reload.</summary>
    /// <param name="On">How to reach the standby.</param>
    /// <param name="Node">The standby.</param>
    /// <param name="Source">Where it is to stream from.</param>
    /// <param name="Way">How its configuration is changed.</param>
    public sealed record Repoint(Conninfo On, NodeRecord Node, ReplicationSource Source, RepointWay Way) : Step
    {
        public override string Describe() =>
            $"point {Node.Label} at \"{Source.PrimaryConninfo}\""
            + (Source.SlotName is { } slot ? $", slot \"{slot}\"," : "") + $" {Way.Describe()}";
    }

    /// <summary>Restart the local server and wait until it is up.</summary>
    /// <param name="Node">The node.</param>
    /// <param name="Within">How long it may take.</param>
    public sealed record RestartServer(NodeRecord Node, TimeSpan Within) : Step
    {
        public override string Describe() => $"restart the server of {Node.Label}";
    }

    /// <summary>Wait until a standby is seen streaming from a server on that server's timeline, from both sides.</summary>
    /// <param name="On">How to reach the standby.</param>
    /// <param name="Node">The standby.</param>
    /// <param name="UpstreamOn">How to reach the server it is to stream from.</param>
    /// <param name="Upstream">That server's record.</param>
    /// <param name="Source">What the standby was told; null: its agent tells it.</param>
    /// <param name="Within">How long it may take.</param>
    /// <param name="Otherwise">What holds when it does not happen: a whole sentence for the hint.</param>
    public sealed record AwaitStreaming(
        Conninfo On, NodeRecord Node, Conninfo UpstreamOn, NodeRecord Upstream, ReplicationSource? Source, TimeSpan Within, string Otherwise) : Step
    {
        public override string Describe() =>
            $"wait until {Node.Label} streams from {Upstream.Label}, at most {Within.TotalSeconds:0} s";
    }

    /// <summary>Have a server write a checkpoint, so that it has less to write when it is stopped.</summary>
    /// <param name="On">How to reach it.</param>
    /// <param name="Node">The node.</param>
    /// <param name="Within">How long it may take.</param>
    public sealed record Checkpoint(Conninfo On, NodeRecord Node, TimeSpan Within) : Step
    {
        public override string Describe() => $"write a checkpoint on {Node.Label}";
    }

    /// <summary>Start, stop, restart or reload the local server, and see that it is so.</summary>
    /// <param name="Action">What; not to promote it.</param>
    /// <param name="Command">What is run for it.</param>
    /// <param name="Within">How long it may take.</param>
    public sealed record ControlServer(ServiceAction Action, string Command, TimeSpan Within) : Step
    {
        public override string Describe() => $"{Action.Name()} the local server with \"{Command}\"";
    }

    /// <summary>Keep a standby's WAL receiver from running, or let it run again.</summary>
    /// <param name="On">How to reach the standby.</param>
    /// <param name="Name">Its name for messages.</param>
    /// <param name="Runs">It is to run.</param>
    public sealed record SwitchReceiver(Conninfo On, string Name, bool Runs) : Step
    {
        public override string Describe() => Runs ? $"let the WAL receiver of node \"{Name}\" run again" : $"keep the WAL receiver of node \"{Name}\" from running";
    }

    /// <summary>Wait until a standby has received and replayed nearly all that the primary has written.</summary>
    /// <param name="PrimaryOn">How to reach the primary.</param>
    /// <param name="Primary">Its record.</param>
    /// <param name="On">How to reach the standby.</param>
    /// <param name="Node">The standby.</param>
    /// <param name="Bytes">How much it may lack.</param>
    /// <param name="Within">How long it may take.</param>
    public sealed record AwaitNear(Conninfo PrimaryOn, NodeRecord Primary, Conninfo On, NodeRecord Node, ulong Bytes, TimeSpan Within) : Step
    {
        public override string Describe() =>
            $"wait until {Node.Label} is within {Bytes / (1024 * 1024)} MB of {Primary.Label}, at most {Within.TotalSeconds:0} s";
    }

    /// <summary>Ask the primary's agent to stop its server and hand the lease over, and wait until the node that was named takes writes (R18).</summary>
    /// <param name="PrimaryOn">How to reach the primary.</param>
    /// <param name="Primary">Its record.</param>
    /// <param name="On">How to reach the node that is to be the primary.</param>
    /// <param name="Node">That node.</param>
    /// <param name="Within">How long it may take until it is.</param>
    public sealed record HandOver(Conninfo PrimaryOn, NodeRecord Primary, Conninfo On, NodeRecord Node, TimeSpan Within) : Step
    {
        public override string Describe() =>
            $"ask the agent of {Primary.Label} to stop its server and hand over to {Node.Label}, and wait until that takes writes, at most {Within.TotalSeconds:0} s";
    }

    /// <summary>Drop a physical replication slot that nobody uses any more.</summary>
    /// <param name="Server">How to reach the server it is on.</param>
    /// <param name="ServerName">Its name for messages.</param>
    /// <param name="Slot">The slot.</param>
    public sealed record DropSlot(Conninfo Server, string ServerName, string Slot) : Step
    {
        public override string Describe() => $"drop replication slot \"{Slot}\" on {ServerName}";
    }

    /// <summary>Steps that only make sense one after the other, in an aftermath whose other steps go on without them.</summary>
    /// <param name="Steps">The first that fails ends them.</param>
    public sealed record Together(IReadOnlyList<Step> Steps) : Step
    {
        public override string Describe() => string.Join("; ", Steps.Select(step => step.Describe()));
    }

    /// <summary>Create the metadata schema, take it over from the extension of repmgr 5, or bring it forward.</summary>
    /// <param name="On">The primary.</param>
    /// <param name="Before">What was there when this was planned.</param>
    /// <param name="Cluster">The <c>cluster</c> of 1.x, whose views are wanted; null: none.</param>
    /// <param name="Owner">Who is to own the schema, when <paramref name="On"/> connects as somebody else; null: nobody else.</param>
    public sealed record EnsureSchema(Conninfo On, SchemaState Before, string? Cluster, string? Owner) : Step
    {
        public override string Describe()
        {
            string views = (Cluster is null ? "" : $", with the views of schema {SqlText.Name(OriginalSchema.NameFor(Cluster))}")
                + (Owner is null ? "" : $", and make role {SqlText.Name(Owner)} its owner");
            return Before switch
            {
                SchemaState.Absent => $"create the metadata in schema \"repmgr\"{views}",
                SchemaState.Extension extension =>
                    $"take the metadata over from extension \"repmgr\" {extension.Version}, and drop the extension{views}",
                SchemaState.Present { Version: < SchemaState.Current } present =>
                    $"bring the metadata forward from version {present.Version} to {SchemaState.Current}{views}",
                _ => $"check the metadata in schema \"repmgr\"{views}",
            };
        }
    }

    /// <summary>Write a node's record, as one change with those of former primaries.</summary>
    /// <param name="On">The primary.</param>
    /// <param name="Record">What is to stand there.</param>
    /// <param name="Deactivate">Nodes that are not to count as active any more.</param>
    /// <param name="Replace">May a row of this id that says something else be replaced?</param>
    public sealed record WriteNode(Conninfo On, NodeRecord Record, IReadOnlyList<NodeId> Deactivate, bool Replace) : Step
    {
        public override string Describe()
        {
            string type = Record.Type.Name();
            string active = Record.Active ? "" : "inactive ";
            string upstream = Record.Upstream is { } id ? $" of node {id}" : "";
            string others = Deactivate.Count == 0 ? "" : $", and mark as inactive: {string.Join(", ", Deactivate.Select(node => $"node {node}"))}";
            return $"record {Record.Label} as {active}{type}{upstream}{others}";
        }
    }

    /// <summary>Delete a node's record, and wait until the agents count it as a voter no more, where failover is automatic (R13).</summary>
    /// <param name="On">The primary.</param>
    /// <param name="Record">The node.</param>
    public sealed record DeleteNode(Conninfo On, NodeRecord Record) : Step
    {
        public override string Describe() => $"delete the record of {Record.Label}";
    }

    /// <summary>Wait until a record has reached the standby itself.</summary>
    /// <param name="On">The standby.</param>
    /// <param name="Record">What is to be seen there.</param>
    /// <param name="Within">How long; null: for ever.</param>
    public sealed record AwaitNodeRecord(Conninfo On, NodeRecord Record, TimeSpan? Within) : Step
    {
        public override string Describe() =>
            $"wait until the record has reached {Record.Label}"
            + (Within is { } within ? $", at most {within.TotalSeconds:0} s" : "");
    }

    /// <summary>Delete old rows of <c>repmgr.monitoring_history</c>.</summary>
    /// <param name="On">The primary.</param>
    /// <param name="KeepDays">Rows of so many days stay; 0: none.</param>
    /// <param name="Standby">Only this standby's; null: all.</param>
    public sealed record DeleteHistory(Conninfo On, int KeepDays, NodeId? Standby) : Step
    {
        public override string Describe() =>
            (KeepDays == 0 ? "delete all monitoring history" : $"delete the monitoring history older than {KeepDays} days")
            + (Standby is { } node ? $" of node {node}" : "");
    }

    /// <summary>Make a physical slot on the server the standby will stream from, reserving WAL from now on; an existing one is used again.</summary>
    /// <param name="Server">How to reach it.</param>
    /// <param name="ServerName">Its name for messages.</param>
    /// <param name="Slot">The slot.</param>
    public sealed record ReserveSlot(Conninfo Server, string ServerName, string Slot) : Step
    {
        public override string Describe() => $"reserve replication slot \"{Slot}\" on {ServerName}";
    }

    /// <summary>Take the directory for a clone: a marker file says so until the clone is whole, and replaced configuration is kept beside.</summary>
    public sealed record BeginClone(string DataDirectory, UnfinishedClone Marker) : Step
    {
        public override string Describe() => $"mark \"{DataDirectory}\" as an unfinished clone";
    }

    /// <summary>Delete what an older copy left in the data directory and its tablespaces; its control file goes first.</summary>
    public sealed record ClearTarget(string DataDirectory, IReadOnlyList<string> TablespaceDirectories, string VersionDirectory) : Step
    {
        /// <summary>Tablespace directories of other clusters on this host: nothing in them is touched.</summary>
        public IReadOnlyList<string> TablespacesOfOthers { get; init; } = [];

        public override string Describe() => $"delete the old files in \"{DataDirectory}\""
            + (TablespaceDirectories.Count == 0 ? "" : $" and in {Listed(TablespaceDirectories)}");
    }

    /// <summary>Copy with pg_basebackup into a staging directory inside the data directory.</summary>
    public sealed record CopyByBaseBackup(BaseBackupCopy Copy) : Step
    {
        public override string Describe() => $"copy {Copy.SourceName} with pg_basebackup into \"{Copy.Staging}\"";
    }

    /// <summary>Combine earlier backups with the incremental one made now (<c>pg_combinebackup</c>).</summary>
    public sealed record CombineBackups(CombineCopy Copy) : Step
    {
        public override string Describe() => $"combine {Listed(Copy.Earlier)} and what has changed since into \"{Copy.Staging}\" with pg_combinebackup";
    }

    /// <summary>Let <c>clone_command</c> put a copy into a staging directory inside the data directory, and check that it is a whole one of the right cluster.</summary>
    public sealed record CopyByCommand(CommandCopy Copy) : Step
    {
        public override string Describe() => $"fill \"{Copy.Staging}\" with clone_command ({Copy.Template}) and check what it left";
    }

    /// <summary>Compare the copy with the manifest that the source wrote (<c>pg_verifybackup</c>).</summary>
    public sealed record VerifyCopy(string Program, string Directory) : Step
    {
        public override string Describe() => $"verify \"{Directory}\" with pg_verifybackup";
    }

    /// <summary>Copy over ordinary connections while the source is in backup mode; the control file is copied last and waits under another name.</summary>
    public sealed record CopyDirectly(DirectCopy Copy) : Step
    {
        public override string Describe() =>
            $"copy {Copy.SourceName}{Copy.Estimate} to \"{Copy.DataDirectory}\" over {Copy.Jobs} {(Copy.Jobs == 1 ? "connection" : "connections")}"
            + (Copy.OntoExisting ? ", moving only what differs," : "") + " between backup start and stop";
    }

    /// <summary>Copy with rsync while the source is in backup mode; the control file is copied last and waits under another name.</summary>
    public sealed record CopyByRsync(RsyncCopy Copy) : Step
    {
        public override string Describe() =>
            $"copy \"{Copy.SourceDirectory}\" from {Copy.Host} to \"{Copy.DataDirectory}\" with {Copy.Jobs} rsync {(Copy.Jobs == 1 ? "process" : "processes")}"
            + (Copy.OntoExisting ? ", moving only what differs," : "") + " between backup start and stop";
    }

    /// <summary>Fetch configuration files that the source keeps outside its data directory, over ssh.</summary>
    public sealed record CopyConfigFiles(RemoteShell Shell, IReadOnlyList<ConfigFileCopy> Files) : Step
    {
        public override string Describe() => $"copy {Listed([.. Files.Select(file => file.From)])} from {Shell.Host}";
    }

    /// <summary>Merge the replication settings into <c>postgresql.auto.conf</c> and write <c>standby.signal</c>.</summary>
    /// <param name="Directory">The data directory, or the staging directory.</param>
    /// <param name="Settings">Name to value; null removes the setting. May hold a password, so values are never shown.</param>
    public sealed record ConfigureStandby(string Directory, IReadOnlyDictionary<string, string?> Settings) : Step
    {
        public override string Describe() =>
            $"set {string.Join(", ", Settings.Where(setting => setting.Value is not null).Select(setting => setting.Key))} in \"{Directory}/postgresql.auto.conf\" and write standby.signal";
    }

    /// <summary>Flush everything to disk and put the copy into place, the control file last; then the marker goes.</summary>
    public sealed record FinishClone(string DataDirectory, CloneMethod Method, IReadOnlyList<StagedTablespace> Tablespaces) : Step
    {
        public override string Describe() => $"flush \"{DataDirectory}\" to disk and put its control file into place";
    }

    /// <summary>Start the new standby, and wait until it is seen streaming.</summary>
    /// <param name="DataDirectory">Its data directory.</param>
    /// <param name="Name">Its application_name on the upstream.</param>
    /// <param name="Slot">Its slot there; null: none.</param>
    /// <param name="Upstream">How to reach the upstream; null: it is not to be asked.</param>
    /// <param name="UpstreamName">Its name for messages.</param>
    /// <param name="StartWithin">How long recovery up to the point of consistency may take.</param>
    /// <param name="StreamWithin">How long it may take from then on until it streams.</param>
    public sealed record StartStandby(
        string DataDirectory, string Name, string? Slot, Conninfo? Upstream, string UpstreamName, TimeSpan StartWithin, TimeSpan StreamWithin) : Step
    {
        public override string Describe() => $"start the server in \"{DataDirectory}\""
            + (Upstream is null ? "" : $" and wait until it streams from {UpstreamName}, at most {StreamWithin.TotalSeconds:0} s");
    }

    private static string Listed(IReadOnlyList<string> paths) => string.Join(", ", paths.Select(path => $"\"{path}\""));
}

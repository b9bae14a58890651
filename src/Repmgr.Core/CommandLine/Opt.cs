using static Repmgr.Core.CommandLine.OptionValue;

namespace Repmgr.Core.CommandLine;

/// <summary>Every option of <c>repmgr</c>, once. Which command takes which is said in <see cref="CommandTable"/>.</summary>
public static class Opt
{
    private static readonly OptionValue Flag = new Nothing();

    // For every command.
    public static readonly OptionDefinition Help = new("help", '?', Flag, "show help for the command, then exit");
    public static readonly OptionDefinition Version = new("version", 'V', Flag, "show the version, then exit");
    public static readonly OptionDefinition VersionNumber = new("version-number", null, Flag, "show the version as one number, then exit");
    public static readonly OptionDefinition DumpConfig = new("dump-config", null, Flag, "show every setting, its default and where it came from, then exit");

    public static readonly OptionDefinition ConfigFile = new("config-file", 'f', new Text("PATH", Completion.File), "use this configuration file")
    {
        Default = "the first of ./repmgr.conf, /etc/repmgr.conf, /etc/repmgr/repmgr.conf, and repmgr.conf beside the program",
    };

    public static readonly OptionDefinition PgBindir = new("pg-bindir", 'b', new Text("PATH", Completion.Directory), "take PostgreSQL's programs from this directory")
    {
        Default = "pg_bindir of the configuration file, else what is found",
    };

    public static readonly OptionDefinition LogLevel = new(
        "log-level", 'L', new Choice("LEVEL", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "ALERT", "CRIT", "EMERG"), "show messages of this level and graver ones")
    {
        Default = "log_level of the configuration file, else INFO",
    };

    public static readonly OptionDefinition LogToFile = new("log-to-file", null, Flag, "write messages to log_file of the configuration file instead of standard error");
    public static readonly OptionDefinition Quiet = new("quiet", 'q', Flag, "show errors only");
    public static readonly OptionDefinition Terse = new("terse", 't', Flag, "leave out details and hints");
    public static readonly OptionDefinition Verbose = new("verbose", 'v', Flag, "say more about what is being done");

    // For many commands.
    public static readonly OptionDefinition DryRun = new("dry-run", null, Flag, "check everything and show the steps, but change nothing");
    public static readonly OptionDefinition Force = new("force", 'F', Flag, "go ahead where the command would rather not");
    public static readonly OptionDefinition Json = new("json", null, Flag, "print the result as JSON");
    public static readonly OptionDefinition Csv = new("csv", null, Flag, "print the result as comma-separated values");
    public static readonly OptionDefinition Compact = new("compact", null, Flag, "leave out the widest columns");
    public static readonly OptionDefinition NodeId = new("node-id", null, new Integer("ID", 1), "act on the node with this ID");
    public static readonly OptionDefinition NodeName = new("node-name", null, new Text("NAME"), "act on the node with this name");
    public static readonly OptionDefinition UpstreamNodeId = new("upstream-node-id", null, new Integer("ID", 1), "the node to replicate from")
    {
        Default = "the primary",
    };

    // -W: repmgr 2.0 and the help of 5.x call it so.
    public static readonly OptionDefinition Wait = new("wait", 'w', new Integer("SECONDS", 0), "wait for a primary to appear, this long at most")
    {
        OtherShort = 'W',
        ValueIsOptional = true,
    };


    // Connection.
    public static readonly OptionDefinition Dbname = new("dbname", 'd', new Text("DBNAME"), "database to connect to: a name, a conninfo string or a URI");

    public static readonly OptionDefinition Host = new("host", 'h', new Text("HOST", Completion.Host), "server to connect to: a host or a socket directory");

    public static readonly OptionDefinition Port = new("port", 'p', new Integer("PORT", 1, 65535), "its port");
    public static readonly OptionDefinition Username = new("username", 'U', new Text("NAME", Completion.User), "database role to connect as");

    // standby clone.
    public static readonly OptionDefinition Pgdata = new("pgdata", 'D', new Text("DIRECTORY", Completion.Directory), "directory that the copy is written to")
    {
        Aliases = ["data-dir", "dest-dir"],
        Default = "data_directory of the configuration file, else PGDATA",
    };

    public static readonly OptionDefinition Method = new("method", null, new Choice("METHOD", "direct", "basebackup", "rsync", "command"), "how to copy")
    {
        Default = "rsync when -R or -I is given without --copy-external-config-files, else direct",
    };

    public static readonly OptionDefinition RemoteUser = new("remote-user", 'R', new Text("NAME", Completion.User), "operating system user on the source, for ssh and rsync")
    {
        Default = "the user who runs repmgr",
    };

    public static readonly OptionDefinition WalKeepSegments = new(
        "wal-keep-segments", 'w', new Integer("NUMBER", 0), "refuse unless the source keeps at least this many WAL segments, by its wal_keep_size")
    {
        Default = "not checked",
    };

    public static readonly OptionDefinition IgnoreRsyncWarning = new("ignore-rsync-warning", 'I', Flag, "take it as success when files vanished while rsync copied them (its exit code 24)");
    public static readonly OptionDefinition FastCheckpoint = new("fast-checkpoint", 'c', Flag, "ask the source for an immediate checkpoint")
    {
        Deprecated = "the checkpoint is always immediate",
    };
    public static readonly OptionDefinition CopyExternalConfigFiles = new(
        "copy-external-config-files", null, new Choice("WHERE", "samepath", "pgdata"), "copy configuration files that lie outside the source's data directory, over ssh")
    {
        ValueIsOptional = true,
        Default = "not copied; samepath when no value is given",
    };

    public static readonly OptionDefinition NoUpstreamConnection = new("no-upstream-connection", null, Flag, "do not connect to the upstream node");
    public static readonly OptionDefinition ReplicationUser = new("replication-user", null, new Text("NAME"), "role the standby streams as")
    {
        Default = "replication_user of the configuration file, else the user of conninfo",
    };

    public static readonly OptionDefinition UpstreamConninfo = new("upstream-conninfo", null, new Text("CONNINFO"), "primary_conninfo to write, instead of one made from the upstream node's record");
    public static readonly OptionDefinition ReplicationConfOnly = new("replication-conf-only", null, Flag, "copy nothing; write the replication settings of an existing data directory")
    {
        Aliases = ["recovery-conf-only"],
    };

    public static readonly OptionDefinition VerifyBackup = new("verify-backup", null, Flag, "check the copy with pg_verifybackup");
    public static readonly OptionDefinition IncrementalFrom = new(
        "incremental-from", null, new Text("DIRECTORY", Completion.Directory), "fetch only what has changed since this earlier backup, and combine the two; several of a chain with commas, the full one first (basebackup, PostgreSQL 17+)");
    public static readonly OptionDefinition NoVerifyChecksums = new("no-verify-checksums", null, Flag, "copy damaged pages of the source as they are, instead of failing");
    public static readonly OptionDefinition WalDirectory = new("waldir", null, new Text("DIRECTORY", Completion.Directory), "put WAL into this directory, and a link to it into the data directory")
    {
        Default = "the data directory, or where a link that is there leads",
    };

    public static readonly OptionDefinition Progress = new("progress", null, new Choice("FORMAT", "text", "json"), "how to show how far the copy is: for people, or as an object of JSON a line")
    {
        Default = "text; with --json, json",
    };

    public static readonly OptionDefinition Start = new("start", null, Flag, "start the standby when it is copied, and wait until it streams");

    public static readonly OptionDefinition RecoveryMinApplyDelay = new("recovery-min-apply-delay", null, new Duration("TIME"), "let the standby lag behind on purpose, by a time such as 30min or 1d");
    public static readonly OptionDefinition MaxRate = new("max-rate", null, new Rate("RATE"), "copy no faster than this: kilobytes per second, or with the suffix k or M") { Default = "no limit" };
    public static readonly OptionDefinition Jobs = new("jobs", 'j', new Integer("NUMBER", 1, 64), "connections (direct) or rsync processes that copy side by side") { Default = "as many as there are processors, from 2 to 8" };
    public static readonly OptionDefinition WithoutBarman = new("without-barman", null, Flag, "do not clone from Barman")
    {
        Deprecated = "this version never clones from Barman",
    };

    public static readonly OptionDefinition CheckUpstreamConfig = new("check-upstream-config", null, Flag, "the former name of --dry-run") { Deprecated = "use --dry-run" };
    public static readonly OptionDefinition RemoteConfigFile = new("remote-config-file", 'C', new Text("PATH"), "ignored")
    {
        Deprecated = "it has had no effect since repmgr 5",
    };

    // node verify.
    public static readonly OptionDefinition WaitReplay = new("wait-replay", null, new Integer("SECONDS", 0), "wait this long, at most twice, until both servers have replayed the same WAL") { Default = "60" };

    // node status.
    public static readonly OptionDefinition IsShutdownCleanly = new("is-shutdown-cleanly", null, Flag, "only say whether the local server has stopped, and in good order");

    // node check.
    public static readonly OptionDefinition Nagios = new("nagios", null, Flag, "print one item as a Nagios plugin does");
    public static readonly OptionDefinition CheckRole = new("role", null, Flag, "only check that the node runs as what it is registered as");
    public static readonly OptionDefinition CheckLag = new("replication-lag", null, Flag, "only check how many seconds it is behind the primary");
    public static readonly OptionDefinition CheckArchive = new("archive-ready", null, Flag, "only check how many WAL files wait to be archived");
    public static readonly OptionDefinition CheckUpstream = new("upstream", null, Flag, "only check that it is attached to its upstream");
    public static readonly OptionDefinition CheckDownstream = new("downstream", null, Flag, "only check that all its standbys are attached");
    public static readonly OptionDefinition CheckSlots = new("slots", null, Flag, "only check that its physical replication slots are used");
    public static readonly OptionDefinition CheckMissingSlots = new("missing-slots", null, Flag, "only check that its standbys' replication slots are there");
    public static readonly OptionDefinition CheckDataDirectory = new("data-directory-config", null, Flag, "only check that data_directory names the server's own");
    public static readonly OptionDefinition CheckRepmgrd = new("repmgrd", null, Flag, "only check that repmgrd is at work");
    public static readonly OptionDefinition CheckConnection = new("db-connection", null, Flag, "only check that the server lets repmgr in");

    // node service.
    public static readonly OptionDefinition Action = new("action", null, new Choice("ACTION", "start", "stop", "restart", "reload", "promote"), "what to do to the local server");
    public static readonly OptionDefinition ListActions = new("list-actions", null, Flag, "show the command for each action");
    public static readonly OptionDefinition Checkpoint = new("checkpoint", null, Flag, "write a checkpoint before the server is stopped, so that it has less to write then");

    // node control.
    public static readonly OptionDefinition DisableWalReceiver = new("disable-wal-receiver", null, Flag, "let the standby receive nothing");
    public static readonly OptionDefinition EnableWalReceiver = new("enable-wal-receiver", null, Flag, "let the standby receive again");

    // standby promote.
    public static readonly OptionDefinition SiblingsFollow = new("siblings-follow", null, Flag, "let the other standbys follow the new primary");

    public static readonly OptionDefinition WithoutMajority = new("without-majority", null, new Text("CLUSTER"), "let the agents that are left go on, since the others are lost for good; the name of the cluster confirms it");

    // standby switchover.
    public static readonly OptionDefinition At = new("at", null, new Moment("TIME"), "wait until then, and do it then")
    {
        Default = "at once",
    };

    public static readonly OptionDefinition AlwaysPromote = new("always-promote", null, Flag, "ignored")
    {
        Deprecated = "no node is promoted that lacks what another one has",
    };

    public static readonly OptionDefinition ForceRewind = new("force-rewind", null, new Text("PATH"), "ignored")
    {
        ValueIsOptional = true,
        Deprecated = "nothing is rewound: what has diverged is made equal by \"standby clone --force\", which copies only what differs",
    };

    public static readonly OptionDefinition RepmgrdNoPause = new("repmgrd-no-pause", null, Flag, "ignored") { Deprecated = "failover is not paused for a switchover" };
    public static readonly OptionDefinition RepmgrdForceUnpause = new("repmgrd-force-unpause", null, Flag, "ignored") { Deprecated = "failover is not paused for a switchover" };

    // standby register.
    public static readonly OptionDefinition WaitStart = new("wait-start", null, new Integer("SECONDS", 0), "wait this long for the local server to come up") { Default = "30" };
    public static readonly OptionDefinition WaitSync = new("wait-sync", null, new Integer("SECONDS", 0), "wait until the record has reached the standby; 0 or no value: for ever")
    {
        ValueIsOptional = true,
        Default = "do not wait",
    };

    // cluster event, cluster cleanup.
    public static readonly OptionDefinition Limit = new("limit", null, new Integer("NUMBER", 1), "show at most this many events") { Default = "20" };
    public static readonly OptionDefinition All = new("all", null, Flag, "show all events");
    public static readonly OptionDefinition Event = new("event", null, new Text("NAME"), "show only events of this name");
    public static readonly OptionDefinition KeepHistory = new("keep-history", 'k', new Integer("DAYS", 0), "keep the monitoring history of this many days") { Default = "0: keep none" };

    // service pause, service unpause.
    public static readonly OptionDefinition For = new("for", null, new Duration("TIME"), "end the pause by itself after this time, such as 15min or 2h") { Default = "1h" };
    public static readonly OptionDefinition HolderIsDown = new("holder-is-down", null, Flag, "end the pause without the node that holds the lease, whose host is down");

    // service set.
    public static readonly OptionDefinition Synchronous = new("synchronous", null, new Choice("MODE", "off", "quorum", "strict"), "what a commit waits for") { Default = "as it is" };
    public static readonly OptionDefinition SynchronousNodeCount = new("synchronous-node-count", null, new Integer("NUMBER", 1, 100), "how many standbys have a commit on disk before it is acknowledged") { Default = "as it is" };
    public static readonly OptionDefinition LeaseTtl = new("lease-ttl", null, new Duration("TIME"), "how long a lease lasts, such as 3s") { Default = "as it is" };
    public static readonly OptionDefinition AgentRestartGrace = new("agent-restart-grace", null, new Duration("TIME"), "how long a primary may write while its repmgrd is stopped, such as 30s") { Default = "as it is" };

    // daemon start, daemon stop.
    public static readonly OptionDefinition NoWait = new("no-wait", null, Flag, "do not wait for it");

    // cluster show.
    public static readonly OptionDefinition Detail = new("detail", null, Flag, "show too what each node says of itself");

    // primary register.
    public static readonly OptionDefinition Superuser = new("superuser", 'S', new Text("NAME", Completion.User), "database role that makes the schema, where conninfo's may not")
    {
        Default = "the role in conninfo",
    };

    // Options of repmgr 5.x whose features are not in this version. They are named so that a script gets a clear answer.
    public static readonly IReadOnlyList<OptionDefinition> Later =
    [
        LaterOption("replication-connection"),
        LaterOption("has-passfile"), LaterOption("replication-config-owner"), LaterOption("remote-node-id", value: new Integer("ID", 1)),
        LaterOption("config-files", value: new Text("LIST")), LaterOption("config-archive-dir", value: new Text("PATH")),
        LaterOption("optformat"), LaterOption("local-port", 'l', new Integer("PORT", 1, 65535)),
    ];

    private static OptionDefinition LaterOption(string name, char? letter = null, OptionValue? value = null, bool optional = false) =>
        new(name, letter, value ?? Flag, "not in this version") { IsLater = true, ValueIsOptional = optional };
}

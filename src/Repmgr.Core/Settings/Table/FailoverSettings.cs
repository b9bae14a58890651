using Repmgr.Core.Failover.Synchronous;

namespace Repmgr.Core.Settings.Table;

internal static class FailoverSettings
{
    private const string Agreed = "Taken from the primary's node when failover begins; from then on the cluster remembers it, and \"repmgr service set\" changes it.";

    public static IReadOnlyList<Setting> All { get; } =
    [
        new Setting<FailoverMode>(
            "failover",
            SettingType.Choice(("manual", FailoverMode.Manual), ("automatic", FailoverMode.Automatic)),
            s => s.Failover,
            (s, v) => s with { Failover = v })
        {
            Group = SettingGroup.Failover,
            Since = Generation.One,
            TakesEffect = TakesEffect.AtRestart,
            Description = "Whether repmgrd only watches (manual), or is an agent that keeps the cluster at one primary (automatic): it takes a primary out of service that may be one no longer, "
                + "and promotes, follows and makes nodes anew by itself. It takes three voters, of which one may be a witness, or two nodes with synchronous = strict; the same value on all.",
        },
        Delay("lease_ttl", s => s.LeaseTtl, (s, v) => s with { LeaseTtl = v },
            "How long a lease lasts: the right to be primary, which a majority of the agents has to renew. A host that falls silent is replaced after this time; "
            + "a primary that reaches no majority for so long takes itself out of service. " + Agreed),
        Delay("lease_renew_interval", s => s.LeaseRenewInterval, (s, v) => s with { LeaseRenewInterval = v },
            "How often the primary's agent renews its lease. Two renewals must fit into lease_ttl less a tenth of it and half a second."),
        .. EtcdSettings.All,
        new Setting<string>("api_listen", SettingType.NonEmpty("an address and a port: *:8008"), s => s.ApiListen, (s, v) => s with { ApiListen = v })
        {
            Group = SettingGroup.Failover, Since = Generation.Six, TakesEffect = TakesEffect.AtRestart,
            Description = "Where the agent listens for the other agents and for load balancers: an address, or * for all, and a port.",
        },
        new Setting<string?>("api_address", SettingType.Text("a host and a port: node1:8008"), s => s.ApiAddress, (s, v) => s with { ApiAddress = v })
        {
            Group = SettingGroup.Failover, Since = Generation.Six, TakesEffect = TakesEffect.AtRestart,
            Description = "How the other agents reach this one. When it is not set: the host in conninfo, with the port of api_listen.",
        },
        Certificate("api_ssl_cert_file", s => s.ApiSslCertFile, (s, v) => s with { ApiSslCertFile = v },
            "The certificate of this node's agent, with those between it and the authority behind it, in PEM form. With it agents speak TLS with each other, and show each other their certificates: all three "
            + "files have to be set, on all nodes, witnesses included. It has to name the host in api_address."),
        Certificate("api_ssl_key_file", s => s.ApiSslKeyFile, (s, v) => s with { ApiSslKeyFile = v },
            "The private key of that certificate, in PEM form, without a passphrase, and readable by the user that repmgrd runs as alone."),
        Certificate("api_ssl_ca_file", s => s.ApiSslCaFile, (s, v) => s with { ApiSslCaFile = v },
            "The certificates of the authorities whose certificates are believed. An authority of the cluster's own is best: whoever has a certificate of it may speak to the agents."),
        new Setting<string?>("state_directory", SettingType.Path, s => s.StateDirectory, (s, v) => s with { StateDirectory = v })
        {
            Group = SettingGroup.Failover, Since = Generation.Six, TakesEffect = TakesEffect.AtRestart,
            Description = "Where the agent keeps what it must not forget: its votes and promises, and WAL that only this node had. Never inside the data directory, and in no backup. "
                + "When it is not set: beside the data directory, with .repmgr behind its name.",
        },
        new Setting<int?>("maximum_lag_on_failover", SettingType.CountOrUnset, s => s.MaximumLagOnFailover, (s, v) => s with { MaximumLagOnFailover = v })
        {
            Group = SettingGroup.Failover, Since = Generation.Six, TakesEffect = TakesEffect.AtRestart,
            Description = "A standby that lacks more bytes of WAL than this, counted from what the primary last announced, is not promoted. -1: however many.",
        },
        new Setting<SyncMode>(
            "synchronous", SettingType.Choice(("off", SyncMode.Off), ("quorum", SyncMode.Quorum), ("strict", SyncMode.Strict)), s => s.Synchronous, (s, v) => s with { Synchronous = v })
        {
            Group = SettingGroup.Failover, Since = Generation.Six, TakesEffect = TakesEffect.AtRestart,
            Description = "What a commit waits for. off: for no standby; what none had received is lost with a host that falls silent. quorum: for synchronous_node_count standbys, or as many as there are; "
                + "whoever is promoted has every commit that was acknowledged. strict: likewise, and writes wait while there are fewer. "
                + Agreed,
        },
        new Setting<int>("synchronous_node_count", SettingType.Integer(1, 100), s => s.SynchronousNodeCount, (s, v) => s with { SynchronousNodeCount = v })
        {
            Group = SettingGroup.Failover, Since = Generation.Six, TakesEffect = TakesEffect.AtRestart,
            Description = "How many standbys have to have a commit on disk before it is acknowledged, with synchronous = quorum or strict. " + Agreed,
        },
        Delay("wal_rescue_timeout", s => s.WalRescueTimeout, (s, v) => s with { WalRescueTimeout = v },
            "How long the server of a failed primary is kept down while a standby fetches the WAL that it lacks from there."),
        new Setting<RejoinPolicy>(
            "rejoin", SettingType.Choice(("clone", RejoinPolicy.Clone), ("never", RejoinPolicy.Never)), s => s.Rejoin, (s, v) => s with { Rejoin = v })
        {
            Group = SettingGroup.Failover, Since = Generation.Six, TakesEffect = TakesEffect.AtRestart,
            Description = "What becomes of a node whose data went another way than the primary's: it is cloned anew, moving only what differs (clone), or stays down (never). "
                + "What only it has is kept below state_directory first.",
        },
        Delay("agent_restart_grace", s => s.AgentRestartGrace, (s, v) => s with { AgentRestartGrace = v },
            "How long a primary may write while its repmgrd is stopped to be started again. After it the guard takes the server out of service, and the others elect. " + Agreed),
        Delay("failover_cooldown", s => s.FailoverCooldown, (s, v) => s with { FailoverCooldown = v },
            "A primary that was promoted a shorter time ago than this is not replaced because its server hangs: it may go on. A server that has ended, and a lease that has, are not waited for."),
        Hook("before_promote_command", s => s.BeforePromoteCommand, (s, v) => s with { BeforePromoteCommand = v },
            "A command that is run before this node is promoted. It gets no longer than the lease allows, which is less than lease_ttl; whatever becomes of it, the promotion follows."),
        Hook("after_promote_command", s => s.AfterPromoteCommand, (s, v) => s with { AfterPromoteCommand = v }, "A command that is run when this node was promoted."),
        Hook("before_demote_command", s => s.BeforeDemoteCommand, (s, v) => s with { BeforeDemoteCommand = v },
            "A command that is run before this node's server is stopped because another node is to take over, as \"repmgr standby promote\" asks for; it has hook_timeout, and the server writes meanwhile. "
            + "When the server is taken out of service for any other reason, there is no time: it is begun at the same moment, and not waited for."),
        Hook("after_demote_command", s => s.AfterDemoteCommand, (s, v) => s with { AfterDemoteCommand = v }, "A command that is run when this node's server was taken out of service."),
        Hook("before_follow_command", s => s.BeforeFollowCommand, (s, v) => s with { BeforeFollowCommand = v }, "A command that is run before this node is pointed to a primary."),
        Hook("after_follow_command", s => s.AfterFollowCommand, (s, v) => s with { AfterFollowCommand = v }, "A command that is run when this node was pointed to a primary."),
        Hook("fence_command", s => s.FenceCommand, (s, v) => s with { FenceCommand = v },
            "A command that is run when processes of this node's server do not go after SIGKILL. Those that wait in the kernel, for a disk usually, execute nothing more, and the server counts as out of service without it: "
            + "it can make sure that nothing that was begun reaches the disk later, for instance by switching the storage away. For others its exit code 0 says that the server is out of service."),
        new Setting<string?>("watchdog_device", SettingType.Path, s => s.WatchdogDevice, (s, v) => s with { WatchdogDevice = v })
        {
            Group = SettingGroup.Failover, Since = Generation.Six, TakesEffect = TakesEffect.AtRestart,
            Description = "The watchdog of this host, for instance /dev/watchdog: it resets the host when repmgrd and its guard are lost together while the server may write, before another node is promoted. "
                + "The user that repmgrd runs as must be able to write to it, and nothing else may have it open. When it is not set: none.",
        },
        Delay("hook_timeout", s => s.HookTimeout, (s, v) => s with { HookTimeout = v }, "How long these commands may take. Then they are ended with all that they have started."),
        Command("promote_command", s => s.PromoteCommand, (s, v) => s with { PromoteCommand = v }, Generation.One, "How this node is promoted in a failover."),
        Command(
            "follow_command", s => s.FollowCommand, (s, v) => s with { FollowCommand = v }, Generation.One, "How this node is pointed at the new primary in a failover; %n stands for the primary's node id."),
        Command(
            "failover_validation_command",
            s => s.FailoverValidationCommand,
            (s, v) => s with { FailoverValidationCommand = v },
            Generation.Five,
            "A command that can still forbid the promotion, by any exit code but 0. %n and %a stand for the node's id and name, "
            + "%v and %u for the nodes that are visible and those that stream from the same upstream, %t for all nodes."),
        Seconds(
            "election_rerun_interval", 1, s => s.ElectionRerunInterval, (s, v) => s with { ElectionRerunInterval = v }, "How long nodes wait before they elect again after that."),
        Seconds(
            "primary_notification_timeout",
            0,
            s => s.PrimaryNotificationTimeout,
            (s, v) => s with { PrimaryNotificationTimeout = v },
            "How long a node that lost the election waits to hear of the new primary."),
        new Setting<TimeSpan?>(
            "repmgrd_standby_startup_timeout",
            SettingType.SecondsOrUnset,
            s => s.RepmgrdStandbyStartupTimeout,
            (s, v) => s with { RepmgrdStandbyStartupTimeout = v })
        {
            Group = SettingGroup.Failover,
            TakesEffect = TakesEffect.OnReload,
            Replaced = Feature.ReplacedByVotes,
            Description = "How long repmgrd waits for its own server after follow_command. When it is not set: standby_reconnect_timeout.",
        },
        Switch(
            "standby_disconnect_on_failover",
            s => s.StandbyDisconnectOnFailover,
            (s, v) => s with { StandbyDisconnectOnFailover = v },
            "Whether standbys stop receiving WAL before they elect."),
        Seconds(
            "sibling_nodes_disconnect_timeout",
            0,
            s => s.SiblingNodesDisconnectTimeout,
            (s, v) => s with { SiblingNodesDisconnectTimeout = v },
            "How long a node waits until the others have done so too."),
        Switch(
            "primary_visibility_consensus",
            s => s.PrimaryVisibilityConsensus,
            (s, v) => s with { PrimaryVisibilityConsensus = v },
            "Whether no node is promoted while any node still sees the primary. The same on all nodes."),
        Switch(
            "always_promote", s => s.AlwaysPromote, (s, v) => s with { AlwaysPromote = v }, "Whether a node is promoted although it does not know its own upstream."),
        Seconds("promote_delay", 0, s => s.PromoteDelay, (s, v) => s with { PromoteDelay = v }, "For tests: a wait before the promotion."),
        Seconds("failover_delay", 0, s => s.FailoverDelay, (s, v) => s with { FailoverDelay = v }, "For tests: a wait before the failover."),
        Children(
            "child_nodes_check_interval",
            SettingType.Seconds(),
            s => s.ChildNodesCheckInterval,
            (s, v) => s with { ChildNodesCheckInterval = v },
            "How often repmgrd on a primary looks which nodes stream from it. 0: never."),
        Children(
            "child_nodes_connected_min_count",
            SettingType.CountOrUnset,
            s => s.ChildNodesConnectedMinCount,
            (s, v) => s with { ChildNodesConnectedMinCount = v },
            "With fewer connected child nodes than this, child_nodes_disconnect_command is run. -1: not set."),
        Children(
            "child_nodes_disconnect_min_count",
            SettingType.CountOrUnset,
            s => s.ChildNodesDisconnectMinCount,
            (s, v) => s with { ChildNodesDisconnectMinCount = v },
            "With this many child nodes disconnected, child_nodes_disconnect_command is run, unless child_nodes_connected_min_count is set. -1: not set."),
        new Setting<bool>(
            "child_nodes_connected_include_witness",
            SettingType.Boolean,
            s => s.ChildNodesConnectedIncludeWitness,
            (s, v) => s with { ChildNodesConnectedIncludeWitness = v })
        {
            Group = SettingGroup.Children,
            TakesEffect = TakesEffect.OnReload,
            Pending = Feature.Witness,
            Description = "Whether a witness counts as a child node.",
        },
        Children(
            "child_nodes_disconnect_timeout",
            SettingType.Seconds(),
            s => s.ChildNodesDisconnectTimeout,
            (s, v) => s with { ChildNodesDisconnectTimeout = v },
            "How long child nodes have to be gone before the command is run."),
        Children(
            "child_nodes_disconnect_command",
            SettingType.Command,
            s => s.ChildNodesDisconnectCommand,
            (s, v) => s with { ChildNodesDisconnectCommand = v },
            "The command that is run by a shell when too many child nodes are gone, once until there are enough again. %p stands for the id of this node."),
    ];

    private static Setting<string?> Command(
        string name, Func<Settings, string?> get, Func<Settings, string?, Settings> set, Generation since, string description) =>
        new(name, SettingType.Command, get, set)
        {
            Group = SettingGroup.Failover,
            Since = since,
            TakesEffect = TakesEffect.OnReload,
            Replaced = Feature.ReplacedByVotes,
            Description = description,
        };

    private static Setting<string?> Certificate(string name, Func<Settings, string?> get, Func<Settings, string?, Settings> set, string description) =>
        new(name, SettingType.Path, get, set)
        {
            Group = SettingGroup.Failover,
            Since = Generation.Six,
            TakesEffect = TakesEffect.AtRestart,
            Description = description + " A file that is replaced is read anew by itself.",
        };

    private static Setting<string?> Hook(string name, Func<Settings, string?> get, Func<Settings, string?, Settings> set, string description) =>
        new(name, SettingType.Command, get, set)
        {
            Group = SettingGroup.Failover,
            Since = Generation.Six,
            TakesEffect = TakesEffect.AtRestart,
            Description = description + " It is run by a shell, and reads a line of JSON: event, node_id, node_name, primary_node_id, term.",
        };

    private static Setting<TimeSpan> Seconds(string name, int min, Func<Settings, TimeSpan> get, Func<Settings, TimeSpan, Settings> set, string description) =>
        new(name, SettingType.Seconds(min), get, set)
        {
            Group = SettingGroup.Failover,
            TakesEffect = TakesEffect.OnReload,
            Replaced = Feature.ReplacedByVotes,
            Description = description,
        };

    private static Setting<TimeSpan> Delay(string name, Func<Settings, TimeSpan> get, Func<Settings, TimeSpan, Settings> set, string description) =>
        new(name, SettingType.Delay, get, set)
        {
            Group = SettingGroup.Failover,
            Since = Generation.Six,
            TakesEffect = TakesEffect.AtRestart,
            Description = description,
        };

    private static Setting<bool> Switch(string name, Func<Settings, bool> get, Func<Settings, bool, Settings> set, string description) =>
        new(name, SettingType.Boolean, get, set)
        {
            Group = SettingGroup.Failover,
            TakesEffect = TakesEffect.OnReload,
            Replaced = Feature.ReplacedByVotes,
            Description = description,
        };

    private static Setting<T> Children<T>(
        string name, SettingType<T> type, Func<Settings, T> get, Func<Settings, T, Settings> set, string description) =>
        new(name, type, get, set)
        {
            Group = SettingGroup.Children,
            TakesEffect = TakesEffect.OnReload,
            Description = description,
        };
}

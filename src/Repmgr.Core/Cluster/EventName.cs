namespace Repmgr.Core.Cluster;

/// <summary>The events of repmgr 5.x, as they stand in <c>repmgr.events.event</c>. They are an interface.</summary>
public static class EventName
{
    public const string ClusterCreated = "cluster_created";
    public const string PrimaryRegister = "primary_register";
    public const string PrimaryUnregister = "primary_unregister";
    public const string StandbyClone = "standby_clone";
    public const string StandbyRegister = "standby_register";
    public const string StandbyRegisterSync = "standby_register_sync";
    public const string StandbyUnregister = "standby_unregister";
    public const string StandbyPromote = "standby_promote";
    public const string StandbyFollow = "standby_follow";
    public const string StandbySwitchover = "standby_switchover";
    public const string WitnessRegister = "witness_register";
    public const string WitnessUnregister = "witness_unregister";
    public const string NodeRejoin = "node_rejoin";
    public const string ClusterCleanup = "cluster_cleanup";

    public const string RepmgrdStart = "repmgrd_start";
    public const string RepmgrdShutdown = "repmgrd_shutdown";
    public const string RepmgrdReload = "repmgrd_reload";
    public const string RepmgrdConfigReload = "repmgrd_config_reload";
    public const string RepmgrdFailoverPromote = "repmgrd_failover_promote";
    public const string RepmgrdFailoverFollow = "repmgrd_failover_follow";
    public const string RepmgrdFailoverAborted = "repmgrd_failover_aborted";
    public const string RepmgrdStandbyReconnect = "repmgrd_standby_reconnect";
    public const string RepmgrdPromoteError = "repmgrd_promote_error";
    public const string RepmgrdLocalDisconnect = "repmgrd_local_disconnect";
    public const string RepmgrdLocalReconnect = "repmgrd_local_reconnect";
    public const string RepmgrdUpstreamDisconnect = "repmgrd_upstream_disconnect";
    public const string RepmgrdUpstreamReconnect = "repmgrd_upstream_reconnect";
    public const string StandbyDisconnectManual = "standby_disconnect_manual";
    public const string StandbyFailure = "standby_failure";
    public const string StandbyRecovery = "standby_recovery";
    public const string ChildNodeDisconnect = "child_node_disconnect";
    public const string ChildNodeReconnect = "child_node_reconnect";
    public const string ChildNodeNewConnect = "child_node_new_connect";
    public const string ChildNodesDisconnectCommand = "child_nodes_disconnect_command";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        ClusterCreated,
        PrimaryRegister,
        PrimaryUnregister,
        StandbyClone,
        StandbyRegister,
        StandbyRegisterSync,
        StandbyUnregister,
        StandbyPromote,
        StandbyFollow,
        StandbySwitchover,
        WitnessRegister,
        WitnessUnregister,
        NodeRejoin,
        ClusterCleanup,
        RepmgrdStart,
        RepmgrdShutdown,
        RepmgrdReload,
        RepmgrdConfigReload,
        RepmgrdFailoverPromote,
        RepmgrdFailoverFollow,
        RepmgrdFailoverAborted,
        RepmgrdStandbyReconnect,
        RepmgrdPromoteError,
        RepmgrdLocalDisconnect,
        RepmgrdLocalReconnect,
        RepmgrdUpstreamDisconnect,
        RepmgrdUpstreamReconnect,
        StandbyDisconnectManual,
        StandbyFailure,
        StandbyRecovery,
        ChildNodeDisconnect,
        ChildNodeReconnect,
        ChildNodeNewConnect,
        ChildNodesDisconnectCommand,
    ];
}

namespace Repmgr.Core.Settings;

/// <summary>Features of repmgr 5.x whose settings are known, but which are not in this version yet.</summary>
internal static class Feature
{
    /// <summary>What the settings of repmgr 5.x on elections have given way to.</summary>
    public const string ReplacedByVotes = "a failover is decided by votes and leases of the agents, and carried out by them";
    public const string Switchover = "standby switchover";
    public const string Rejoin = "node rejoin";
    public const string NodeCheck = "node check";
    public const string Witness = "witness nodes";
    public const string Barman = "cloning from Barman";
}

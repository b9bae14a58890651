namespace Repmgr.Core.Settings;

/// <summary>Features of repmgr 5.x whose settings are known, but which are not in this version yet.</summary>
internal static class Feature
{
    /// <summary>What the settings of repmgr 5.x on elections have given way to.</summary>
    public const string ReplacedByVotes = "a failover is decided by votes and leases of the agents, and carried out by them";

    /// <summary>What has taken the place of repmgrd's patience.</summary>
    public const string LeasesInstead =
        "a silent primary is replaced when its lease ends (lease_ttl), and one that died at once; what is set here still says when repmgrd records that a server is away";
    public const string PromotesInstead = "agents promote with pg_promote(), under their lease; before_promote_command and after_promote_command are run around it";
    public const string SlotsInstead = "agents make their own slots, named repmgr_t<term>_h<holder>_n<node>, and remove those of former terms";

    public const string Switchover = "standby switchover where failover is manual";
    public const string Rejoin = "node rejoin";
    public const string Witness = "witness nodes";
    public const string Barman = "cloning from Barman";
}

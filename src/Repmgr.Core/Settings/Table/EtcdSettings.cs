namespace Repmgr.Core.Settings.Table;

/// <summary>Where the lease lies, and how that is reached (docs/adr/0116).</summary>
internal static class EtcdSettings
{
    public static IReadOnlyList<Setting> All { get; } =
    [
        new Setting<LeaseStore>("lease_store", SettingType.Choice(("peers", LeaseStore.Peers), ("etcd", LeaseStore.Etcd)), s => s.LeaseStore, (s, v) => s with { LeaseStore = v })
        {
            Group = SettingGroup.Failover,
        Since = Generation.Six,
        TakesEffect = TakesEffect.AtRestart,
            Description = "Where the lease lies. peers: the agents keep it among themselves, and a majority of them renews it; it takes three. etcd: in an etcd that is there already; "
                + "then two nodes are enough, and no witness is needed. Taken from the primary's node when failover begins; from then on the cluster remembers it.",
        },
        new Setting<IReadOnlyList<string>>("etcd_endpoints", SettingType.Urls, s => s.EtcdEndpoints, (s, v) => s with { EtcdEndpoints = v })
        {
            Group = SettingGroup.Failover,
        Since = Generation.Six,
        TakesEffect = TakesEffect.AtRestart,
            Description = "The client URLs of etcd's members, separated by commas: https://etcd1:2379,https://etcd2:2379. They are tried in turn. etcd's JSON gateway, which is on by default, is spoken to: "
                + "etcd 3.4 or newer.",
        },
        new Setting<string>("etcd_prefix", SettingType.NonEmpty("how keys begin: /repmgr/"), s => s.EtcdPrefix, (s, v) => s with { EtcdPrefix = v })
        {
            Group = SettingGroup.Failover,
        Since = Generation.Six,
        TakesEffect = TakesEffect.AtRestart,
            Description = "How all keys in etcd begin. A number that is drawn when failover begins follows, so that clusters do not meet. The same on all nodes.",
        },
        Text("etcd_user", SettingType.Text("a user of etcd"), s => s.EtcdUser, (s, v) => s with { EtcdUser = v },
            "As whom the agent logs in to etcd. When it is not set, it does not. It needs a role that may read and write below etcd_prefix."),
        Text("etcd_password_file", SettingType.Path, s => s.EtcdPasswordFile, (s, v) => s with { EtcdPasswordFile = v },
            "A file that holds the password of etcd_user and nothing else; it is read at each login. When it is not set: the environment variable REPMGR_ETCD_PASSWORD of repmgrd."),
        Text("etcd_ca_file", SettingType.Path, s => s.EtcdCaFile, (s, v) => s with { EtcdCaFile = v },
            "Certificates, as PEM, of the authorities that may have signed etcd's. When it is not set: those of the system."),
        Text("etcd_cert_file", SettingType.Path, s => s.EtcdCertFile, (s, v) => s with { EtcdCertFile = v },
            "The certificate, as PEM, that the agent shows to etcd. etcd's gateway takes no user from it: where etcd has users, set etcd_user, and the certificate must have no common name, or etcd refuses it."),
        Text("etcd_key_file", SettingType.Path, s => s.EtcdKeyFile, (s, v) => s with { EtcdKeyFile = v }, "The key of etcd_cert_file, as PEM, without a passphrase."),
    ];

    private static Setting<string?> Text(string name, SettingType<string?> type, Func<Settings, string?> get, Func<Settings, string?, Settings> set, string description) => new(name, type, get, set)
    {
        Group = SettingGroup.Failover,
        Since = Generation.Six,
        TakesEffect = TakesEffect.AtRestart,
        Description = description,
    };
}

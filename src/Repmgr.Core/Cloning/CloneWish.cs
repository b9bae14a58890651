using Repmgr.Core.Cluster;
using Repmgr.Core.CommandLine;
using Repmgr.Core.Hosts;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Cloning;

/// <summary>What options, configuration and environment say of a clone, before anything was looked at.</summary>
/// <param name="Options">Of <c>standby clone</c>.</param>
/// <param name="Settings">Of <c>repmgr.conf</c>; the defaults when there is none, as the original's invocation has it.</param>
/// <param name="PgData">The environment variable <c>PGDATA</c>.</param>
/// <param name="PgPassword">The environment variable <c>PGPASSWORD</c>.</param>
/// <param name="PgDatabase">The environment variable <c>PGDATABASE</c>, else <c>PGUSER</c>: what the original took the database's name from.</param>
/// <param name="PgHost">The environment variable <c>PGHOST</c>.</param>
/// <param name="Processors">Of this machine.</param>
public sealed record CloneWish(
    CommandOptions Options, Settings.Settings Settings, string? PgData, string? PgPassword, string? PgDatabase, string? PgHost, int Processors)
{
    public CloneMethod Method => Enum.Parse<CloneMethod>(Options.CloneMethod, ignoreCase: true);

    /// <summary>How the source is reached, as psql would: options before what a conninfo string after <c>-d</c> says, before <c>repmgr.conf</c>.</summary>
    public Conninfo? Source(out Problem? problem)
    {
        Conninfo? source = Conninfo.Empty;
        problem = null;
        if (Options.Dbname is { } dbname && !Conninfo.TryParseDatabase(dbname, out source, out problem))
            return null;

        if ((Options.Host ?? Options.Argument) is { } host)
            source = source.With("host", host);
        if (Options.Port is { } port)
            source = source.With("port", port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        if (Options.Username is { } user)
            source = source.With("user", user);
        if (source["host"] is null && source["hostaddr"] is null && source["service"] is null && PgHost is null)
        {
            problem = new Problem(
                "the node to clone is not named",
                Hint: "Give its host, for instance: repmgr -U repmgr -d repmgr standby clone node1");
            return null;
        }

        // The role and database of our own node serve: roles and databases are the same on both.
        if (Settings.Conninfo is { } own && source["service"] is null)
        {
            foreach (string keyword in new[] { "user", "dbname", "passfile", "sslmode", "sslrootcert", "sslcert", "sslkey" })
                source = own[keyword] is { } value ? source.WithDefault(keyword, value) : source;
        }

        return source["service"] is null ? source.WithDefault("dbname", PgDatabase ?? "postgres") : source;
    }

    /// <summary>The data directory that is meant, absolute; null: the source's own path.</summary>
    public string? DataDirectory => Options.Pgdata ?? Settings.DataDirectory ?? (PgData is { Length: > 0 } ? PgData : null);

    /// <summary>The whole request, once the source is known.</summary>
    /// <param name="source">What the source said.</param>
    /// <param name="sourceHost">The host that was connected to; null for a socket.</param>
    /// <param name="directory">The data directory as an absolute path.</param>
    public CloneRequest Request(CloneSource source, string? sourceHost, string directory)
    {
        IReadOnlyList<string> baseBackup = OptionWords.Split(Settings.PgBasebackupOptions);
        return new CloneRequest
        {
            Method = Method,
            DataDirectory = directory,
            Force = Options.Force,
            IgnoreVanishedFiles = Options.IgnoreRsyncWarning,
            SshHost = sourceHost,
            RemoteUser = Options.RemoteUser,
            SshOptions = OptionWords.Split(Settings.SshOptions),
            RsyncOptions = OptionWords.Split(Settings.RsyncOptions),
            BaseBackupOptions = Options.WalDirectory is { } own ? [.. baseBackup, "--waldir=" + own] : baseBackup,
            Command = Settings.CloneCommand,
            EarlierBackups = Options.IncrementalFrom,
            WalDirectory = (Options.WalDirectory ?? BaseBackupWords.Value(baseBackup, BaseBackupWords.WalDirectory))?.TrimEnd('/'),
            MaxRateKilobytes = MaxRate(baseBackup) is { } rate ? Math.Max(1, rate / 1024) : null,
            VerifyBackup = Options.VerifyBackup,
            Start = Options.Start,
            StreamWithin = Settings.StandbyReconnectTimeout,
            IgnoreDamagedPages = Options.NoVerifyChecksums || BaseBackupWords.Has(baseBackup, BaseBackupWords.NoVerifyChecksums),
            MinimumWalSegments = Options.WalKeepSegments,
            TablespaceMappings = Settings.TablespaceMapping,
            ExternalConfig = !Options.CopyExternalConfigFiles ? ExternalConfigCopy.None
                : Options.ExternalConfigFilesIntoPgdata ? ExternalConfigCopy.PgData
                : ExternalConfigCopy.SamePath,
            Jobs = Options.Jobs ?? Math.Clamp(Processors, 2, 8),
            SlotName = Slot,
            NodeId = Settings.NodeId?.Value,
            NodeName = NodeName(source),
            ReplicationUser = ReplicationUser,
        };
    }

    // What a configuration of repmgr 5 tells pg_basebackup about rate and WAL holds for the direct method too.
    private long? MaxRate(IReadOnlyList<string> baseBackup) => Options.MaxRate is { } rate ? rate
        : Method == CloneMethod.Direct && BaseBackupWords.Value(baseBackup, BaseBackupWords.MaxRate) is { } text ? OptionValue.Rate.BytesPerSecond(text)
        : null;

    public string? ReplicationUser => Options.ReplicationUser ?? Settings.ReplicationUser;

    private string? Slot => Settings is { UseReplicationSlots: true, NodeId: { } id } ? $"repmgr_slot_{id}" : null;

    // Without a number nothing is known of the node but that it exists; a name made up now would clash with the next one's.
    private string? NodeName(CloneSource source) => Settings.NodeId is { } id
        ? HostDetection.NodeName(Settings.NodeName, id, source.RegisteredNodes.GetValueOrDefault(id.Value), null).Value
        : Settings.NodeName;

    /// <summary>The settings for <c>postgresql.auto.conf</c>: what makes a standby of this node, and away with what would end its recovery.</summary>
    public IReadOnlyDictionary<string, string?> StandbySettings(CloneRequest request, Conninfo primaryConninfo) =>
        StandbyConfiguration.Of(Settings, new ReplicationSource(primaryConninfo, request.SlotName), Options.RecoveryMinApplyDelay);
}

using System.Globalization;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Cloning;

/// <summary>A reason not to clone, and what the command exits with when there is no other.</summary>
internal readonly record struct Objection(Problem Problem, ExitCode ExitCode = ExitCode.BadConfig);

/// <summary>The questions asked of the source before anything is touched.</summary>
internal static class SourceChecks
{
    public static IEnumerable<Objection> Of(CloneRequest request, CloneSource source, CloneServers servers) =>
    [
        .. Version(source),
        .. Settings(source),
        .. Senders(request, source),
        .. OwnSlot(request, servers.UpstreamIsSource ? source : servers.UpstreamFacts, servers),
        .. PassingSlot(request, source, servers),
        .. Upstream(source, servers),
        .. KeptWal(request, source),
        .. Registered(request, source),
        .. Rights(request, source, servers),
    ];

    /// <summary>Where nothing is copied, only what the standby itself will need is asked.</summary>
    public static IEnumerable<Objection> OfConfiguration(CloneRequest request, CloneSource source, CloneServers servers) =>
    [
        .. Version(source),
        .. Settings(source),
        .. OwnSlot(request, servers.UpstreamIsSource ? source : servers.UpstreamFacts, servers),
        .. Upstream(source, servers),
        .. Registered(request, source),
    ];

    private static IEnumerable<Objection> Version(CloneSource source)
    {
        if (!source.Version.IsSupported)
        {
            yield return new(new Problem(
                $"PostgreSQL {source.Version.Major} is not supported",
                $"The source runs PostgreSQL {source.Version}; this repmgr serves major versions {PostgresVersion.OldestMajor} to {PostgresVersion.NewestMajor}.",
                "Use a release of repmgr made for that version."));
        }
    }

    private static IEnumerable<Objection> Settings(CloneSource source)
    {
        if (source.WalLevel is not ("replica" or "logical"))
        {
            yield return new(new Problem(
                "\"wal_level\" on the source is too low for replication",
                $"It is \"{source.WalLevel}\"; \"replica\" or \"logical\" is needed.",
                "Set wal_level = 'replica' in the source's postgresql.conf and restart the source."));
        }

        if (!source.HotStandby)
        {
            yield return new(new Problem(
                "\"hot_standby\" is off on the source",
                "The copy takes this setting over, and a standby without it answers no queries, so repmgr could not watch it.",
                "Set hot_standby = 'on' in the source's postgresql.conf."));
        }

        // https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP
        if (source.InRecovery && !source.FullPageWrites)
        {
            yield return new(new Problem(
                "the source is a standby whose primary has \"full_page_writes\" off",
                Hint: "Set full_page_writes = on on the primary, or clone from the primary."));
        }
    }

    private static IEnumerable<Objection> Senders(CloneRequest request, CloneSource source)
    {
        int needed = request.Method == CloneMethod.BaseBackup ? 2 : 1;
        if (source.FreeWalSenders < needed)
        {
            string purpose = needed == 2
                ? "pg_basebackup needs 2 of them, one for the files and one for the WAL"
                : "the new standby needs 1";
            yield return new(new Problem(
                "the source has too few free WAL senders",
                $"{source.FreeWalSenders} of {source.MaxWalSenders} are free; {purpose}.",
                "Raise max_wal_senders on the source and restart it, or end replication connections that are no longer needed."));
        }
    }

    // The slot the standby will use is made on its upstream, which need not be the source.
    private static IEnumerable<Objection> OwnSlot(CloneRequest request, CloneSource? upstream, CloneServers servers)
    {
        if (request.SlotName is not { } name || upstream is null)
            yield break;

        SlotView? own = upstream.Slots.FirstOrDefault(slot => slot.Name == name);
        if (own is { Physical: false })
        {
            yield return new(new Problem(
                $"replication slot \"{name}\" on {servers.UpstreamName} is a logical one",
                Hint: "Drop it, or set another node_id: the slot's name comes from it."));
        }

        if (own is { ActivePid: { } pid })
        {
            yield return new(new Problem(
                $"replication slot \"{name}\" on {servers.UpstreamName} is in use",
                $"Process {pid} there uses it: a standby with this node's number is running already.",
                "Stop that standby, or give this node another node_id."));
        }

        if (own is null && upstream.FreeSlots < 1)
            yield return new(TooFewSlots(upstream, servers.UpstreamName, ""));
    }

    private static IEnumerable<Objection> PassingSlot(CloneRequest request, CloneSource source, CloneServers servers)
    {
        if (request.Method != CloneMethod.Direct && LacksPassingSlot(request, source, servers))
        {
            yield return new(TooFewSlots(
                source, servers.SourceName, request.Method == CloneMethod.Rsync ? " Or say with -w how many WAL segments the source keeps without a slot." : ""));
        }
    }

    /// <summary>A temporary slot is wanted for the time of the copy, and there is none to be had.</summary>
    public static bool LacksPassingSlot(CloneRequest request, CloneSource source, CloneServers servers)
    {
        bool ownServes = request.SlotName is not null && servers.UpstreamIsSource;
        return !ownServes && NeedsPassingSlot(request) && source.FreeSlots < 1;
    }

    private static Problem TooFewSlots(CloneSource server, string name, string otherwise) => new(
        $"{name} has no free replication slot",
        $"All {server.MaxReplicationSlots} are taken; one is needed so that no WAL can be missed.",
        "Raise max_replication_slots there and restart it, or drop slots that are no longer used (SELECT * FROM pg_replication_slots)." + otherwise);

    private static IEnumerable<Objection> Upstream(CloneSource source, CloneServers servers)
    {
        if (servers.UpstreamFacts is { } upstream && upstream.SystemIdentifier != source.SystemIdentifier)
        {
            yield return new(new Problem(
                $"{servers.UpstreamName} is not of the same cluster as the source",
                $"Its system identifier is {upstream.SystemIdentifier}, the source's is {source.SystemIdentifier}.",
                "Choose another upstream, or clone from that node."));
        }

        if (servers.UpstreamFacts is { FreeWalSenders: < 1 } full)
        {
            yield return new(new Problem(
                $"{servers.UpstreamName} has no free WAL sender",
                $"All {full.MaxWalSenders} are taken.",
                "Raise max_wal_senders there and restart it."));
        }
    }

    // pg_basebackup makes a temporary slot unless it gets one; the direct and the rsync method do the same unless -w vouches for the WAL.
    private static bool NeedsPassingSlot(CloneRequest request) => request.Method switch
    {
        CloneMethod.BaseBackup => !BaseBackupWords.Has(request.BaseBackupOptions, BaseBackupWords.NoSlot),
        CloneMethod.Command => false,
        _ => request.MinimumWalSegments is null,
    };

    private static IEnumerable<Objection> KeptWal(CloneRequest request, CloneSource source)
    {
        if (request.MinimumWalSegments is { } segments && source.WalKeepBytes < segments * source.WalSegmentBytes)
        {
            yield return new(new Problem(
                "the source keeps too little WAL",
                string.Create(CultureInfo.InvariantCulture, $"\"wal_keep_size\" is {source.WalKeepBytes >> 20} MB, that is {source.WalKeepBytes / source.WalSegmentBytes} segments; -w asks for at least {segments} ({segments * source.WalSegmentBytes >> 20} MB)."),
                "Raise wal_keep_size on the source, or leave -w out: the WAL is then held by a replication slot while the files are copied."));
        }
    }

    private static IEnumerable<Objection> Registered(CloneRequest request, CloneSource source)
    {
        foreach ((int id, string name) in source.RegisteredNodes)
        {
            if (name == request.NodeName && id != request.NodeId)
            {
                yield return new(new Problem(
                    $"another node is registered under the name \"{name}\"",
                    $"It has the number {id}.",
                    "Choose another node_name: it is also the name under which the standby shows up on its upstream."));
            }
        }
    }

    private static IEnumerable<Objection> Rights(CloneRequest request, CloneSource source, CloneServers servers)
    {
        CloneRights rights = source.Rights;
        if (rights.ReplicationRoleMay is null)
        {
            yield return new(new Problem(
                $"there is no role \"{rights.ReplicationRole}\" on the source",
                Hint: $"Run as a superuser on the primary: CREATE ROLE {SqlText.Name(rights.ReplicationRole)} LOGIN REPLICATION; or correct replication_user."));
        }

        IReadOnlyList<string> grants = MissingGrants.For(request, source);
        if (grants.Count > 0)
        {
            yield return new(new Problem(
                $"role \"{rights.Role}\" lacks rights on the source",
                // Rights on functions hold in one database, also those on the functions of pg_catalog.
                Hint: $"Run as a superuser in database \"{servers.Backup["dbname"]}\" of the primary: {string.Join(" ", grants.Select(grant => grant + ";"))}",
                Detail: request.Method == CloneMethod.Direct && rights.ReplicationRoleMay == true ? "Without them --method=basebackup copies too: that needs the right to replicate alone." : null));
        }
        else if (source.ReplicationRefused is { } refused && rights.ReplicationRoleMay is not null && source.FreeWalSenders > 0)
        {
            yield return new(
                new Problem(
                    "the source does not let a standby in from here",
                    $"A replication connection as the standby would make it was tried: {refused.Reason.TrimEnd('.')}.",
                    refused.Hint(servers.SourceName, rights.ReplicationRole)),
                refused.SqlState == "28P01" ? ExitCode.MonitoringTimeoutOrBadPassword : ExitCode.BadConfig);
        }
    }
}

/// <summary>The rights a role lacks for a clone, as the statements that give them.</summary>
internal static class MissingGrants
{
    public static IReadOnlyList<string> For(CloneRequest request, CloneSource source)
    {
        CloneRights rights = source.Rights;
        var grants = new List<string>();
        if (rights.ReplicationRoleMay == false)
            grants.Add($"ALTER ROLE {SqlText.Name(rights.ReplicationRole)} REPLICATION");
        if (rights.Superuser)
            return grants;

        string role = SqlText.Name(rights.Role);
        if (!rights.Replication && rights.Role != rights.ReplicationRole && MakesSlots(request))
            grants.Add($"ALTER ROLE {role} REPLICATION");
        if (!rights.ReadSettings)
            grants.Add($"GRANT pg_read_all_settings TO {role}");
        if (request.Method is CloneMethod.Direct or CloneMethod.Rsync && !rights.BackupFunctions)
        {
            (string start, string stop) = CloneRights.BackupSignatures(source.Version);
            grants.AddRange([$"GRANT EXECUTE ON FUNCTION {start} TO {role}", $"GRANT EXECUTE ON FUNCTION {stop} TO {role}"]);
        }

        if (request.Method == CloneMethod.Direct)
            grants.AddRange(rights.MissingFileFunctions.Select(function => $"GRANT EXECUTE ON FUNCTION {function} TO {role}"));
        return grants;
    }

    private static bool MakesSlots(CloneRequest request) =>
        request.SlotName is not null || (request.Method is CloneMethod.Direct or CloneMethod.Rsync && request.MinimumWalSegments is null);
}


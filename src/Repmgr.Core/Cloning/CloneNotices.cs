using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Cloning;

/// <summary>What the operator should know although it does not stand in the way.</summary>
internal static class CloneNotices
{
    public static IReadOnlyList<Problem> Of(
        CloneRequest request, CloneSource source, CloneTarget target, CloneServers servers, IReadOnlyDictionary<string, string?> standbySettings)
    {
        var notices = new List<Problem>();
        if (target.Content is TargetContent.Cluster)
        {
            notices.Add(new Problem(
                $"the copy of this cluster in \"{target.Directory}\" is replaced because of --force",
                $"Its configuration files are kept with \"{CopyRules.BeforeClone}\" after their names; those of the source take their places, with the replication settings merged into postgresql.auto.conf."));
        }

        if (request.Method == CloneMethod.Direct && BaseBackupWords.Unused(request.BaseBackupOptions) is { Count: > 0 } unused)
        {
            notices.Add(new Problem(
                "pg_basebackup_options has no effect on this copy",
                $"Method direct does not run pg_basebackup; ignored: {string.Join(' ', unused)}.",
                "Give --method=basebackup to have it run."));
        }

        if (source.UnknownSizes is { Count: > 0 } unknown)
        {
            notices.Add(new Problem(
                $"whether there is room for {string.Join(", ", unknown)} was not checked",
                $"Role \"{source.Rights.Role}\" is not told the size.",
                $"Run as a superuser on the primary: GRANT pg_read_all_stats TO {SqlText.Name(source.Rights.Role)};"));
        }

        if (target.Content is TargetContent.Unfinished)
            notices.Add(new Problem($"the unfinished clone in \"{target.Directory}\" is continued"));
        if (!source.DataChecksums && !source.WalLogHints)
        {
            notices.Add(new Problem(
                "the source has neither data checksums nor \"wal_log_hints\"",
                "Without one of them pg_rewind cannot bring back a failed primary.",
                "Enable checksums with pg_checksums while the cluster is stopped, or set wal_log_hints = on."));
        }

        if (request.ExternalConfig == ExternalConfigCopy.None && source.ExternalConfigFiles is { Count: > 0 } files)
        {
            notices.Add(new Problem(
                "the source keeps configuration files outside its data directory, and they are not copied",
                $"They are {string.Join(", ", files.Select(file => $"\"{file}\""))}.",
                target.Configuration is { } own
                    ? $"The standby will use those in \"{own.Directory}\": see that they fit, or give --copy-external-config-files."
                    : "Without them the standby cannot start. On Debian create a cluster here with pg_createcluster and make its files fit; or give --copy-external-config-files[=samepath|pgdata]."));
        }

        if (request.Method == CloneMethod.Command && standbySettings.GetValueOrDefault("restore_command") is null)
        {
            notices.Add(new Problem(
                "the copy will be as old as the backup that clone_command restores",
                "The source keeps no WAL for it from before this moment, and \"restore_command\" is not set in repmgr.conf.",
                "Set restore_command, unless the tool writes one into the copy."));
        }

        if (request.Method == CloneMethod.Direct && SourceChecks.LacksPassingSlot(request, source, servers))
        {
            notices.Add(new Problem(
                $"{servers.SourceName} has no free replication slot",
                $"All {source.MaxReplicationSlots} are taken. The WAL is fetched as it is written; a segment that the source removes before that fails the clone.",
                "Raise max_replication_slots there, or wal_keep_size."));
        }

        if (request.SlotName is null && source.WalKeepBytes == 0)
        {
            notices.Add(new Problem(
                "nothing on the source keeps WAL for the standby until it is started",
                "\"wal_keep_size\" is 0 and use_replication_slots is off.",
                "Start the standby soon, or set use_replication_slots = yes, wal_keep_size or a restore_command."));
        }

        if (request.SlotName is { } slot && servers.Upstream is null)
        {
            notices.Add(new Problem(
                $"replication slot \"{slot}\" is not made, because no connection to the upstream is wanted",
                Hint: $"Run there: SELECT pg_create_physical_replication_slot('{slot}', true);"));
        }

        return notices;
    }
}

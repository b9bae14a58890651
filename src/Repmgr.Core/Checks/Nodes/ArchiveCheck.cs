using Repmgr.Core.Cluster;

namespace Repmgr.Core.Checks.Nodes;

/// <summary>Whether WAL gets into the archive.</summary>
internal static class ArchiveCheck
{
    public static CheckFinding Of(NodeHealthView view, Thresholds limits)
    {
        ArchivingView archiving = view.Archiving;
        if (archiving.Pending is not { } pending)
        {
            return new CheckFinding(
                CheckItem.Archive, CheckStatus.Unknown, "the files that wait to be archived cannot be seen: neither may the role (pg_monitor) list them, nor is the data directory within reach");
        }

        bool isAtWork = archiving.IsAtWork(view.Node.Probe is NodeProbe.Standby);
        bool fails = isAtWork && pending > 0 && archiving.FailedFile is not null;
        CheckStatus status = limits.Judge(pending);
        string note = fails ? $", the last attempt to archive failed ({archiving.FailedFile})" : archiving.Mode == "off" ? ", archiving is off" : "";
        return new CheckFinding(CheckItem.Archive, fails && status == CheckStatus.Ok ? CheckStatus.Warning : status, $"{pending} pending archive ready files{note}")
        {
            Performance = $"files={pending};{limits.Warning};{limits.Critical}",
            Values = new Dictionary<string, long> { ["files"] = pending, ["warning"] = limits.Warning, ["critical"] = limits.Critical },
        };
    }
}

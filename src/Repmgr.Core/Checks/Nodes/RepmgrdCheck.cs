using Repmgr.Core.Failover.Reports;

namespace Repmgr.Core.Checks.Nodes;

/// <summary>Whether the repmgrd of a node is at work.</summary>
public static class RepmgrdCheck
{
    /// <summary>Where failover is manual, and repmgrd only watches.</summary>
    /// <param name="pid">Its process ID; 0: it does not run; null: that cannot be seen.</param>
    public static CheckFinding Watching(int? pid) => pid switch
    {
        null => Finding(CheckStatus.Unknown, "cannot tell whether repmgrd is running: the server does not answer, and no configuration file names its process"),
        0 => Finding(CheckStatus.Critical, "repmgrd is not running"),
        _ => Finding(CheckStatus.Ok, $"repmgrd is running (PID {pid})"),
    };

    /// <summary>Where agents decide.</summary>
    /// <param name="answer">What the agent says; null: it is not known where it is.</param>
    /// <param name="pid">The process that was seen on this machine; 0: there is none; null: that cannot be seen.</param>
    public static CheckFinding Deciding(AgentAnswer? answer, int? pid) => (answer, pid) switch
    {
        ({ Report: { Pause: not null } report }, _) => Finding(CheckStatus.Warning, $"repmgrd is running (PID {report.Pid}), and failover is paused"),
        ({ Report: { } report }, _) => Finding(CheckStatus.Ok, $"repmgrd is running (PID {report.Pid})"),
        (_, 0) => Finding(CheckStatus.Critical, "repmgrd is not running"),
        (_, { } process) => Finding(CheckStatus.Unknown, $"repmgrd is running (PID {process}), and does not answer{Why(answer)}"),
        _ => Finding(CheckStatus.Unknown, $"cannot tell whether repmgrd is running{Why(answer)}"),
    };

    private static string Why(AgentAnswer? answer) => answer?.Silence is { } silence ? $" ({silence})" : "";

    private static CheckFinding Finding(CheckStatus status, string details) => new(CheckItem.Repmgrd, status, details);
}

using Repmgr.Core.Cloning;

namespace Repmgr.Cli.Output;

/// <summary>The report of a command that copied a cluster: what came of the copy, then what every report has.</summary>
/// <param name="Method"><c>direct</c>, <c>basebackup</c>, <c>rsync</c> …</param>
/// <param name="Seconds">How long the copy took.</param>
/// <param name="StartLsn">Where recovery of the copy begins; null when the method does not know.</param>
/// <param name="StopLsn">Up to here WAL must be replayed before it is consistent.</param>
/// <param name="BytesMoved">Of contents, over the network.</param>
/// <param name="BytesCompared">That were here already, and were compared.</param>
internal sealed record CloneReport(
    string Method,
    long? Files,
    long? BytesTotal,
    long? BytesMoved,
    long? BytesCompared,
    int Jobs,
    double Seconds,
    string? StartLsn,
    string? StopLsn,
    string? Command,
    bool Success,
    int ExitCode,
    bool DryRun,
    IReadOnlyList<ReportedStep> Steps,
    IReadOnlyList<ReportedMessage> Messages)
{
    public static CloneReport Of(CommandReport report, CloneResult copied) => new(
        copied.Method.ToString().ToLowerInvariant(),
        copied.Files,
        copied.BytesTotal,
        copied.BytesMoved,
        copied.BytesCompared,
        copied.Jobs,
        Math.Round(copied.Duration.TotalSeconds, 3),
        copied.StartLsn?.ToString(),
        copied.StopLsn?.ToString(),
        report.Command,
        report.Success,
        report.ExitCode,
        report.DryRun,
        report.Steps,
        report.Messages);
}

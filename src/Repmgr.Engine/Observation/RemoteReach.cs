using Repmgr.Core.Cloning;
using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;
using Repmgr.Core.Settings;
using Repmgr.Engine.Cloning;
using Repmgr.Engine.Processes;

namespace Repmgr.Engine.Observation;

/// <summary>Asks the repmgr on another node's host, over ssh, whom that node can connect to: the way of repmgr 5.</summary>
/// <param name="settings">The configuration, for <c>ssh_options</c> and <c>repmgr_bindir</c>.</param>
/// <param name="user">The user there; null: the same as here.</param>
public sealed class RemoteReach(Settings settings, string? user)
{
    private static readonly TimeSpan ShowWithin = TimeSpan.FromSeconds(20), MatrixWithin = TimeSpan.FromSeconds(45);

    /// <returns>What that node says of itself; or why it does not, as a clause.</returns>
    public async Task<(ReachRow? Row, string? Failure)> RowAsync(NodeRecord node, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(node);
        (string output, string? failure) = await RunAsync(node, ["cluster", "show", "--csv"], ShowWithin, cancel);
        return failure is null && ReachMatrix.ParseShown(node.Id, output) is { } row ? (row, null) : (null, failure ?? "its answer is not understood");
    }

    /// <returns>What that node hears from all others; or why it does not say, as a clause.</returns>
    public async Task<(IReadOnlyList<ReachRow> Rows, string? Failure)> RowsAsync(NodeRecord node, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(node);
        (string output, string? failure) = await RunAsync(node, ["cluster", "matrix", "--csv"], MatrixWithin, cancel);
        return failure is null && ReachMatrix.Parse(output) is { Count: > 0 } rows ? (rows, null) : ([], failure ?? "its answer is not understood");
    }

    // What it found amiss is in its answer: only ssh's own failure and a shell's that finds no such program are in the exit code.
    private async Task<(string Output, string? Failure)> RunAsync(NodeRecord node, string[] command, TimeSpan within, CancellationToken cancel)
    {
        if (!Conninfo.TryParse(node.Conninfo, out Conninfo? conninfo, out _) || conninfo["host"]?.Split(',')[0] is not { Length: > 0 } host || host.StartsWith('/'))
            return ("", "its conninfo names no host for ssh");
        string program = Path.Combine(settings.RepmgrBindir ?? Path.GetDirectoryName(Environment.ProcessPath) ?? "", "repmgr");
        string[] configuration = node.ConfigFile.Length > 0 ? ["-f", node.ConfigFile] : [];
        // The shell there takes all that follows the host as one line.
        string line = string.Join(' ', ((string[])[program, .. configuration, .. command]).Select(Quoted));
        var shell = new RemoteShell(host, user, OptionWords.Split(settings.SshOptions));
        ProgramResult result = await ExternalProgram.RunAsync("ssh", [.. RemoteProgram.Ssh(shell), line], null, within, cancel);
        return result switch
        {
            ProgramResult.Ended { ExitCode: 255 } ended => ("", $"ssh to \"{host}\" failed{Last(ended.Error)}"),
            ProgramResult.Ended { ExitCode: 126 or 127 } ended => ("", $"\"{program}\" cannot be run on \"{host}\"{Last(ended.Error)}"),
            ProgramResult.Ended { Output.Length: > 0 } ended => (ended.Output, null),
            ProgramResult.Ended ended => ("", $"repmgr on \"{host}\" says nothing{Last(ended.Error)}"),
            _ => ("", result.Explain("ssh").TrimEnd('.')),
        };
    }

    private static string Quoted(string word) => $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static string Last(string error) => error.Trim().Split('\n')[^1] is { Length: > 0 } line ? $": {line.Trim()}" : "";
}

using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Engine.Processes;

namespace Repmgr.Engine.Hosts;

/// <summary>The directory that holds one version's PostgreSQL programs.</summary>
/// <param name="Directory">For instance <c>/usr/lib/postgresql/15/bin</c>.</param>
public sealed record PostgresBinaries(string Directory)
{
    public string PgCtl => PathOf("pg_ctl");

    public string PgControlData => PathOf("pg_controldata");

    public string PgBaseBackup => PathOf("pg_basebackup");

    public string PgVerifyBackup => PathOf("pg_verifybackup");

    public string PgRewind => PathOf("pg_rewind");

    public string PathOf(string program) => Path.Combine(Directory, program);
}

/// <summary>Reads the control file of a data directory on this machine, whether or not a server runs in it.</summary>
public static class ControlFile
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(10);

    /// <returns>The data, or the problem: no such directory, a wrong version, no right to read it.</returns>
    public static async Task<(ControlData? Data, Problem? Problem)> ReadAsync(
        PostgresBinaries binaries, string dataDirectory, CancellationToken cancel)
    {
        ProgramResult result = await ExternalProgram
            .RunAsync(binaries.PgControlData, ["-D", dataDirectory], ProgramEnvironment.PlainMessages, Within, cancel)
            .ConfigureAwait(false);
        if (result is not ProgramResult.Ended { ExitCode: 0 } ended)
            return (null, new Problem($"could not read the control file of \"{dataDirectory}\"", result.Explain(binaries.PgControlData)));

        return ControlData.TryParse(ended.Output, out ControlData? data, out Problem? problem) ? (data, null) : (null, problem);
    }
}

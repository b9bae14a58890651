using System.Globalization;
using System.Text.RegularExpressions;
using Repmgr.Core.Cloning;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Processes;

namespace Repmgr.Engine.Cloning;

/// <summary>Looks for the programs a clone needs, here and on the source's host.</summary>
internal static partial class ToolsLook
{
    private static readonly TimeSpan LocalWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RemoteWithin = TimeSpan.FromSeconds(40);

    /// <param name="request">What is wanted.</param>
    /// <param name="source">The server that is to be copied.</param>
    /// <param name="binDirectory">PostgreSQL's programs here; null when not found.</param>
    /// <param name="cancel">Ends the look.</param>
    public static async Task<CloneTools> LookAsync(CloneRequest request, CloneSource source, string? binDirectory, CancellationToken cancel)
    {
        bool rsync = request.Method == CloneMethod.Rsync
            || (request.ExternalConfig != ExternalConfigCopy.None && source.ExternalConfigFiles.Count > 0);
        Task<PostgresVersion?> baseBackup = VersionOfAsync(binDirectory, "pg_basebackup", cancel);
        Task<PostgresVersion?> server = VersionOfAsync(binDirectory, "postgres", cancel);
        Task<Version?> local = rsync ? RsyncVersionAsync(cancel) : Task.FromResult<Version?>(null);
        Version? localRsync = await local.ConfigureAwait(false);
        return new CloneTools(
            binDirectory,
            await baseBackup.ConfigureAwait(false),
            binDirectory is not null && File.Exists(Path.Combine(binDirectory, "pg_verifybackup")),
            await server.ConfigureAwait(false),
            localRsync,
            rsync && localRsync is not null ? await RemoteAsync(request, source, cancel).ConfigureAwait(false) : null)
        {
            CombineBackup = binDirectory is not null && File.Exists(Path.Combine(binDirectory, "pg_combinebackup")),
        };
    }

    private static async Task<PostgresVersion?> VersionOfAsync(string? directory, string program, CancellationToken cancel)
    {
        if (directory is null || !File.Exists(Path.Combine(directory, program)))
            return null;
        ProgramResult result = await ExternalProgram
            .RunAsync(Path.Combine(directory, program), ["--version"], ProgramEnvironment.PlainMessages, LocalWithin, cancel).ConfigureAwait(false);
        Match match = result is ProgramResult.Ended { ExitCode: 0 } ended ? PostgresVersionText().Match(ended.Output) : Match.Empty;
        return match.Success
            ? new PostgresVersion((Number(match.Groups[1]) * 10000) + (match.Groups[2].Success ? Number(match.Groups[2]) : 0))
            : null;
    }

    private static async Task<Version?> RsyncVersionAsync(CancellationToken cancel)
    {
        ProgramResult result = await ExternalProgram.RunAsync("rsync", ["--version"], ProgramEnvironment.PlainMessages, LocalWithin, cancel).ConfigureAwait(false);
        return result is ProgramResult.Ended { ExitCode: 0 } ended && RsyncVersionText().Match(ended.Output) is { Success: true } match
            && Version.TryParse(match.Groups[1].Value, out Version? version)
            ? version
            : null;
    }

    /// <summary>Fetches the source's control file: that needs ssh, rsync over there, the right to read, and the right host.</summary>
    private static async Task<RemoteView> RemoteAsync(CloneRequest request, CloneSource source, CancellationToken cancel)
    {
        var shell = new RemoteShell(request.SshHost ?? "localhost", request.RemoteUser, request.SshOptions);
        ProgramResult login = await ExternalProgram
            .RunAsync("ssh", [.. RemoteProgram.Ssh(shell), "rsync --version"], ProgramEnvironment.PlainMessages, RemoteWithin, cancel).ConfigureAwait(false);
        if (login is not ProgramResult.Ended { ExitCode: not 255 } ended)
            return new RemoteView.Unreachable("ssh " + string.Join(' ', RemoteProgram.Ssh(shell)), Reason(login));
        // By these a shell says that there is no such program. Another one is the login's own: an account without a shell, for instance.
        // https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_08_02
        if (ended.ExitCode is 126 or 127)
            return new RemoteView.NoRsync(Reason(login));
        if (ended.ExitCode != 0)
            return new RemoteView.Unreachable("ssh " + string.Join(' ', RemoteProgram.Ssh(shell)), Reason(login));

        if (request.Method != CloneMethod.Rsync || source.DataDirectory is null)
            return new RemoteView.Ready();

        DirectoryInfo scratch = Directory.CreateTempSubdirectory("repmgr-clone-");
        try
        {
            string global = Path.Combine(scratch.FullName, "global");
            Directory.CreateDirectory(global);
            ProgramResult fetched = await ExternalProgram.RunAsync(
                "rsync",
                [.. RemoteProgram.RsyncOverSsh(shell), RemoteProgram.Remote(shell, $"{source.DataDirectory.TrimEnd('/')}/{CopyRules.ControlFile}"), global + "/"],
                ProgramEnvironment.PlainMessages,
                RemoteWithin,
                cancel).ConfigureAwait(false);
            if (!fetched.Succeeded)
                return new RemoteView.NoData(Reason(fetched));
            ulong? found = TargetLook.SystemIdentifier(scratch.FullName);
            return found == source.SystemIdentifier
                ? new RemoteView.Ready()
                : new RemoteView.NoData(string.Create(CultureInfo.InvariantCulture, $"The cluster in \"{source.DataDirectory}\" there has the system identifier {found}, the source {source.SystemIdentifier}"));
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    private static string Reason(ProgramResult result) => result switch
    {
        ProgramResult.Ended ended when ended.Error.Trim().Length > 0 => ended.Error.Trim(),
        ProgramResult.Ended ended => string.Create(CultureInfo.InvariantCulture, $"nothing; exit code {ended.ExitCode}"),
        _ => result.Explain("it"),
    };

    private static int Number(Group group) => int.Parse(group.Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\(PostgreSQL\) ([0-9]+)(?:\.([0-9]+))?")]
    private static partial Regex PostgresVersionText();

    [GeneratedRegex(@"version v?([0-9]+\.[0-9]+(?:\.[0-9]+)?)")]
    private static partial Regex RsyncVersionText();
}

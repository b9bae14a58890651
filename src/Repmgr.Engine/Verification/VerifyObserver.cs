using Repmgr.Core.Cloning;
using Repmgr.Core.Hosts;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Core.Verification;
using Repmgr.Engine.Cloning;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Verification;

/// <summary>What was seen before a comparison, or why there will be none.</summary>
public abstract record VerifyLook
{
    private VerifyLook() { }

    /// <param name="Request">What is to be compared.</param>
    public sealed record Ready(VerifyRequest Request) : VerifyLook;

    public sealed record Refused(IReadOnlyList<Problem> Problems, ExitCode ExitCode) : VerifyLook;
}

/// <summary>What the command line and the configuration say of a comparison.</summary>
/// <param name="DataDirectory">The files here.</param>
/// <param name="Source">The server to compare with.</param>
/// <param name="Local">How the server here is reached; null: not known.</param>
/// <param name="Jobs">Connections, side by side.</param>
/// <param name="MaxBytesPerSecond">Null: no limit.</param>
/// <param name="CatchUpWithin">How long a standby that is behind is waited for, each time.</param>
public sealed record VerifyWish(string DataDirectory, Conninfo Source, Conninfo? Local, int Jobs, long? MaxBytesPerSecond, TimeSpan CatchUpWithin);

/// <summary>Looks at both sides of a comparison, once.</summary>
public sealed class VerifyObserver(PostgresConnector connector, Settings settings)
{
    private static readonly TimeSpan LookWithin = TimeSpan.FromSeconds(30);

    public async Task<VerifyLook> LookAsync(VerifyWish wish, CancellationToken cancel)
    {
        ConnectResult connected = await connector.OpenAsync(wish.Source, cancel).ConfigureAwait(false);
        if (connected is not ConnectResult.Opened { Session: var session })
        {
            (Problem problem, ExitCode exitCode) = ReachedServer.WhyNot("the server to compare with", wish.Source, connected);
            return new VerifyLook.Refused([problem], exitCode);
        }

        await using (session.ConfigureAwait(false))
        {
            return await session.RunAsync((connection, token) => SourceLook.LookAsync(connection, null, token), LookWithin, cancel).ConfigureAwait(false) switch
            {
                Answer<CloneSource>.Got { Value: var source } => await JudgeAsync(wish, session, source, cancel).ConfigureAwait(false),
                Answer<CloneSource>.Failed failed => new VerifyLook.Refused([new Problem($"could not ask {ReachedServer.Name(session)}", failed.Reason)], ExitCode.DbQuery),
                _ => throw new InvalidOperationException("an answer of no known kind"),
            };
        }
    }

    private async Task<VerifyLook> JudgeAsync(VerifyWish wish, PostgresSession session, CloneSource source, CancellationToken cancel)
    {
        string name = ReachedServer.Name(session);
        List<Problem> problems = [.. VerifyChecks.Of(wish.DataDirectory, TargetLook.Content(wish.DataDirectory), source, name, session.Database, Unreadable(wish.DataDirectory))];
        Detected<string> bindir = await LocalHost.BindirAsync(settings, wish.DataDirectory, source.Version.Major, cancel).ConfigureAwait(false);
        if (bindir is Detected<string>.Unclear unclear)
            problems.Add(unclear.Problem);
        return problems.Count > 0 || bindir is not Detected<string>.Found found
            ? new VerifyLook.Refused(problems, ExitCode.BadConfig)
            : new VerifyLook.Ready(new VerifyRequest(
                wish.DataDirectory,
                new PostgresBinaries(found.Value).PgControlData,
                wish.Local,
                ReachedServer.Of(connector, wish.Source, session),
                name,
                source,
                wish.Jobs,
                wish.MaxBytesPerSecond,
                wish.CatchUpWithin));
    }

    private static string? Unreadable(string directory)
    {
        try
        {
            using FileStream? first = new LocalCopy(directory).TryOpen(CopyRules.ControlFile);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message.TrimEnd('.');
        }
    }
}

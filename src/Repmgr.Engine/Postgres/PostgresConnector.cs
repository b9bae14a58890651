using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Engine.Postgres;

/// <summary>
/// Connects as libpq would: to the hosts of a connection string in turn, each within its <c>connect_timeout</c>. What happens on
/// the way is an answer, never an exception.
/// </summary>
/// <remarks>https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS</remarks>
public sealed class PostgresConnector(ConninfoEnvironment environment)
{
    /// <summary>The <c>connect_timeout</c> of a string that has none, as in repmgr 5.x.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(2);

    /// <summary>What libpq takes <c>connect_timeout=0</c> for, "for ever", is this long here: every call has a deadline.</summary>
    public static readonly TimeSpan LongestTimeout = TimeSpan.FromMinutes(1);

    // Names are resolved in pg_catalog only, whatever objects anyone created elsewhere; and no commit waits for a standby that is away.
    private const string NamesOptions = "-c search_path=";
    private const string SessionOptions = $"{NamesOptions} -c synchronous_commit=local";

    private readonly ConninfoResolver _resolver = new(environment);

    /// <summary>With the surroundings of this process.</summary>
    public PostgresConnector() : this(ConninfoEnvironment.OfProcess()) { }

    /// <summary>What its sessions are called in <c>pg_stat_activity</c>, where the connection string does not say.</summary>
    public string ApplicationName { get; init; } = "repmgr";

    /// <summary>Connects to the first host that lets us in and is what <c>target_session_attrs</c> asks for.</summary>
    /// <param name="conninfo">The connection string; service, environment and password file are consulted for what it lacks.</param>
    /// <param name="cancel">The caller gives up; then <see cref="OperationCanceledException"/> is thrown.</param>
    public Task<ConnectResult> OpenAsync(Conninfo conninfo, CancellationToken cancel) => OpenAsync(conninfo, null, cancel);

    /// <summary>Connects to the first host that lets us in and is what <c>target_session_attrs</c> asks for.</summary>
    /// <param name="conninfo">The connection string; service, environment and password file are consulted for what it lacks.</param>
    /// <param name="within">How long it may take for each host, if the string or the environment does not say.</param>
    /// <param name="cancel">The caller gives up; then <see cref="OperationCanceledException"/> is thrown.</param>
    public Task<ConnectResult> OpenAsync(Conninfo conninfo, TimeSpan? within, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(conninfo);
        return ConnectAsync(conninfo, within, settings => settings with { Options = $"{SessionOptions} {settings.Options}".TrimEnd() }, cancel);
    }

    /// <summary>Connects as a client of the database does who sets nothing: what applies to its commits applies to those of this session.</summary>
    /// <inheritdoc cref="OpenAsync(Conninfo, TimeSpan?, CancellationToken)"/>
    internal Task<ConnectResult> OpenAsClientAsync(Conninfo conninfo, TimeSpan within, CancellationToken cancel) =>
        ConnectAsync(conninfo, within, settings => settings with { Options = $"{NamesOptions} {settings.Options}".TrimEnd() }, cancel);

    /// <summary>The string with all that a service file and the environment add to it: what they say here is not there for another program.</summary>
    public Conninfo Explicit(Conninfo conninfo) => _resolver.Complete(conninfo, out _) ?? conninfo;

    /// <summary>
    /// Connects as a standby would, for replication commands. What is about sessions that run SQL does not count, as it does not
    /// in <c>primary_conninfo</c>: options, and which kind of server is wanted.
    /// </summary>
    /// <param name="conninfo">The connection string, with the user who replicates.</param>
    /// <param name="cancel">The caller gives up; then <see cref="OperationCanceledException"/> is thrown.</param>
    internal Task<ConnectResult> OpenForReplicationAsync(Conninfo conninfo, CancellationToken cancel) => ConnectAsync(
        // "replication" is the database that lines of password files for replication name.
        conninfo.With("dbname", "replication"),
        null,
        settings => settings with { IsReplication = true, Options = null, Attributes = SessionAttributes.Any, RandomHost = false },
        cancel);

    private async Task<ConnectResult> ConnectAsync(
        Conninfo conninfo, TimeSpan? within, Func<ConnectionSettings, ConnectionSettings> fit, CancellationToken cancel)
    {
        Conninfo wanted = conninfo.WithDefault("fallback_application_name", ApplicationName);
        if (_resolver.Resolve(wanted, out IReadOnlyList<Problem> problems) is not { } settings)
            return new ConnectResult.Rejected(null, string.Join("; ", problems.Select(problem => problem.Message)));

        TimeSpan timeout = settings.ConnectTimeout switch
        {
            null => within ?? DefaultTimeout,
            { Ticks: 0 } => LongestTimeout,
            { } given => given,
        };
        return await new ConnectAttempts(fit(settings), timeout, _resolver).RunAsync(cancel);
    }
}

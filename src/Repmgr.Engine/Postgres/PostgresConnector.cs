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
    private const string SessionOptions = "-c search_path= -c synchronous_commit=local";

    private readonly ConninfoResolver _resolver = new(environment);

    /// <summary>With the surroundings of this process.</summary>
    public PostgresConnector() : this(ConninfoEnvironment.OfProcess()) { }

    /// <summary>Connects to the first host that lets us in and is what <c>target_session_attrs</c> asks for.</summary>
    /// <param name="conninfo">The connection string; service, environment and password file are consulted for what it lacks.</param>
    /// <param name="cancel">The caller gives up; then <see cref="OperationCanceledException"/> is thrown.</param>
    public Task<ConnectResult> OpenAsync(Conninfo conninfo, CancellationToken cancel) => OpenAsync(conninfo, null, cancel);

    /// <summary>Connects to the first host that lets us in and is what <c>target_session_attrs</c> asks for.</summary>
    /// <param name="conninfo">The connection string; service, environment and password file are consulted for what it lacks.</param>
    /// <param name="within">How long it may take for each host, if the string or the environment does not say.</param>
    /// <param name="cancel">The caller gives up; then <see cref="OperationCanceledException"/> is thrown.</param>
    public async Task<ConnectResult> OpenAsync(Conninfo conninfo, TimeSpan? within, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(conninfo);
        Conninfo wanted = conninfo.WithDefault("fallback_application_name", "repmgr");
        if (_resolver.Resolve(wanted, out IReadOnlyList<Problem> problems) is not { } settings)
            return new ConnectResult.Rejected(null, string.Join("; ", problems.Select(problem => problem.Message)));

        settings = settings with { Options = $"{SessionOptions} {settings.Options}".TrimEnd() };
        TimeSpan timeout = settings.ConnectTimeout switch
        {
            null => within ?? DefaultTimeout,
            { Ticks: 0 } => LongestTimeout,
            { } given => given,
        };
        return await new ConnectAttempts(settings, timeout, _resolver).RunAsync(cancel);
    }
}

namespace Repmgr.Core.Hosts;

/// <summary>Who starts and stops the PostgreSQL server on this host.</summary>
public abstract record ServiceManager
{
    private ServiceManager() { }

    /// <summary>Nobody: whoever runs <c>pg_ctl</c>.</summary>
    public sealed record PgCtl : ServiceManager
    {
        public override string ToString() => "pg_ctl";
    }

    /// <summary>Debian's wrapper, without systemd behind it.</summary>
    /// <param name="Major">The major version as it stands in the path: <c>15</c>.</param>
    /// <param name="Cluster">The cluster's name, <c>main</c> by default.</param>
    public sealed record PgCtlCluster(string Major, string Cluster) : ServiceManager
    {
        public override string ToString() => $"pg_ctlcluster {Major} {Cluster}";
    }

    /// <summary>A systemd unit.</summary>
    /// <param name="Unit">For instance <c>postgresql@15-main.service</c>.</param>
    /// <param name="OfUser">It belongs to the user's own service manager (<c>systemctl --user</c>).</param>
    public sealed record Systemd(string Unit, bool OfUser) : ServiceManager
    {
        public override string ToString() => $"systemd unit {Unit}";
    }
}

/// <summary>The <c>service_*_command</c> settings, but for promotion: shell commands of the operator's that take the place of what is detected.</summary>
public sealed record ServiceCommands(string? Start = null, string? Stop = null, string? Restart = null, string? Reload = null)
{
    public static ServiceCommands None { get; } = new();
}

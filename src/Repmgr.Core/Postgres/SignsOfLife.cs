namespace Repmgr.Core.Postgres;

/// <summary>
/// For connections on which an answer may take as long as it likes (a checkpoint, a gigabyte): the kernel asks whether the other host
/// is still there. Without this a host that is gone would be waited for, for ever or for a quarter of an hour.
/// </summary>
/// <remarks>https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-KEEPALIVES-IDLE</remarks>
public static class SignsOfLife
{
    /// <summary>A host that is silent for 25 seconds is gone, unless the connection string says otherwise.</summary>
    public static Conninfo AskedFor(Conninfo conninfo) => conninfo
        .WithDefault("keepalives_idle", "10").WithDefault("keepalives_interval", "5").WithDefault("keepalives_count", "3")
        .WithDefault("tcp_user_timeout", "25000");
}

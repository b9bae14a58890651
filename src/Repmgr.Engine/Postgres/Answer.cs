using Npgsql;

namespace Repmgr.Engine.Postgres;

/// <summary>What came of work on a connection.</summary>
public abstract record Answer<T>
{
    private Answer() { }

    public sealed record Got(T Value) : Answer<T>;

    /// <param name="SqlState">PostgreSQL's code; null when the server did not refuse but was lost or late.</param>
    /// <param name="Reason">The server's words, or what happened to the connection; without any password.</param>
    public sealed record Failed(string? SqlState, string Reason) : Answer<T>
    {
        /// <summary>The role may not do that.</summary>
        public bool IsForLackOfRights => SqlState == PostgresErrorCodes.InsufficientPrivilege;
    }
}

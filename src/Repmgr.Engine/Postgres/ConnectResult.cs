namespace Repmgr.Engine.Postgres;

/// <summary>What came of an attempt to connect.</summary>
public abstract record ConnectResult
{
    private ConnectResult() { }

    /// <summary>Connected. Whoever holds it disposes of the session.</summary>
    public sealed record Opened(PostgresSession Session) : ConnectResult;

    /// <summary>
    /// Something listens there and does not let us in, or the connection string cannot be used as it is.
    /// </summary>
    /// <param name="SqlState">PostgreSQL's code, for instance <c>28P01</c> for a wrong password or <c>57P03</c> while it starts up; null when there is none.</param>
    /// <param name="Reason">The whole story in PostgreSQL's words, without any password.</param>
    public sealed record Rejected(string? SqlState, string Reason) : ConnectResult;

    /// <summary>Nothing listens there, or no answer came in time.</summary>
    /// <param name="Reason">What was tried and what came of it, without any password.</param>
    public sealed record Silent(string Reason) : ConnectResult;

    /// <summary>Why there is no session; null when there is one.</summary>
    public string? Failure => this switch
    {
        Rejected rejected => rejected.Reason,
        Silent silent => silent.Reason,
        _ => null,
    };
}

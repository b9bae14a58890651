namespace Repmgr.Core.Planning.Promotion;

/// <summary>How a server is told to end recovery.</summary>
public abstract record PromoteWay
{
    private PromoteWay() { }

    /// <summary>By SQL: <c>pg_promote</c>. Works from anywhere, given the right to execute it.</summary>
    public sealed record Sql : PromoteWay;

    /// <summary>The operator's own way: <c>service_promote_command</c>, run by a shell.</summary>
    public sealed record Command(string Line) : PromoteWay;

    /// <summary><c>pg_ctl promote</c> as the server's operating-system user, which needs no right inside the server.</summary>
    /// <param name="Line">The program and its arguments.</param>
    public sealed record PgCtl(IReadOnlyList<string> Line) : PromoteWay
    {
        /// <param name="program">The path of <c>pg_ctl</c>.</param>
        /// <param name="dataDirectory">The server's data directory.</param>
        public static PgCtl In(string program, string dataDirectory) =>
            // It does not wait: how the promotion goes on is seen by looking, under our own deadline.
            new([program, "-W", "-s", "-D", dataDirectory, "promote"]);
    }

    /// <summary>What is run, as a person would type it; null: nothing is, a function is called.</summary>
    public string? Typed => this switch
    {
        Command command => command.Line,
        PgCtl program => string.Join(' ', program.Line),
        _ => null,
    };

    internal string Describe() => Typed is { } line ? $" with \"{line}\"" : "";
}

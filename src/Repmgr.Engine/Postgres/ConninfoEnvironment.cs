using Repmgr.Engine.Processes;

namespace Repmgr.Engine.Postgres;

/// <summary>What libpq takes from its surroundings.</summary>
/// <param name="Variables">The environment variables.</param>
/// <param name="User">The operating system's name of the user.</param>
/// <param name="Home">The user's home directory; null when there is none.</param>
public sealed record ConninfoEnvironment(IReadOnlyDictionary<string, string> Variables, string User, string? Home)
{
    /// <summary>Where Debian's, Red Hat's and PostgreSQL's own builds put sockets.</summary>
    public IReadOnlyList<string> SocketDirectories { get; init; } = ["/var/run/postgresql", "/tmp"];

    /// <summary>Where the system's service file may be, when PGSYSCONFDIR does not say.</summary>
    public IReadOnlyList<string> SystemDirectories { get; init; } = ["/etc/postgresql-common", "/etc", "/etc/sysconfig/pgsql"];

    /// <summary>The surroundings of this process.</summary>
    public static ConninfoEnvironment OfProcess()
    {
        Dictionary<string, string> variables = [];
        foreach (System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables())
            variables[(string)variable.Key] = (string?)variable.Value ?? "";

        return new ConninfoEnvironment(variables, Environment.UserName, HomeDirectory.OfThisUser());
    }

    /// <summary>The value of a variable; null when it is not set. An empty one is as good as not set, as in libpq's own defaults.</summary>
    public string? this[string variable] => Variables.GetValueOrDefault(variable) is { Length: > 0 } value ? value : null;

    /// <summary>A file in the home directory; null when there is no home.</summary>
    public string? InHome(string name) => Home is null ? null : Path.Combine(Home, name);
}

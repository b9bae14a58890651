namespace Repmgr.Core.Planning.Following;

/// <summary>How the configuration of a standby is changed and taken into force.</summary>
public abstract record RepointWay
{
    private RepointWay() { }

    /// <summary>By SQL: <c>ALTER SYSTEM</c> and <c>pg_reload_conf()</c>. Works from anywhere, given the rights.</summary>
    public sealed record Sql : RepointWay;

    /// <summary>By merging <c>postgresql.auto.conf</c> on this machine, as the server's operating-system user.</summary>
    /// <param name="DataDirectory">Where it is.</param>
    /// <param name="Reload">What takes it into force.</param>
    public sealed record File(string DataDirectory, FileReload Reload) : RepointWay;

    internal string Describe() => this switch
    {
        Sql => "by ALTER SYSTEM and a reload",
        File { Reload: FileReload.NotNow } file => $"in \"{file.DataDirectory}/postgresql.auto.conf\"",
        File file => $"in \"{file.DataDirectory}/postgresql.auto.conf\" and by a reload",
        _ => "",
    };
}

/// <summary>How a server is made to read a file that was changed.</summary>
public enum FileReload
{
    /// <summary><c>pg_reload_conf()</c></summary>
    Sql,

    /// <summary><c>service_reload_command</c>, else a signal to the local postmaster.</summary>
    Signal,

    /// <summary>A restart follows.</summary>
    NotNow,
}

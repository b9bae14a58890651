using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Repmgr.Core.CommandLine;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Cli.Commands;

/// <summary>The server that <c>-h</c>, <c>-p</c>, <c>-U</c> and <c>-d</c> name.</summary>
internal static class ConnectionOptions
{
    public static bool AreGiven(CommandOptions options) =>
        options is { Host: not null } or { Port: not null } or { Username: not null } or { Dbname: not null };

    /// <summary>Puts the options over the node's own conninfo, of which the place is forgotten when another is named.</summary>
    /// <param name="options">At least one of the four is given.</param>
    /// <param name="own"><c>conninfo</c> of the configuration file; null when there is none.</param>
    /// <param name="conninfo">Where to connect.</param>
    /// <param name="problem">Why the options cannot be used.</param>
    public static bool TryRead(
        CommandOptions options, Conninfo? own, [NotNullWhen(true)] out Conninfo? conninfo, [NotNullWhen(false)] out Problem? problem)
    {
        Conninfo? database = Conninfo.Empty;
        problem = null;
        if (options.Dbname is { } dbname && !Conninfo.TryParseDatabase(dbname, out database, out problem))
        {
            conninfo = null;
            return false;
        }

        bool isElsewhere = options.Host is not null || database["host"] is not null || database["hostaddr"] is not null;
        Conninfo start = own ?? Conninfo.Empty;
        if (isElsewhere)
            start = start.Without("host").Without("hostaddr").Without("port");

        conninfo = start.Merge(database);
        if (options.Host is { } host)
            conninfo = conninfo.Without("hostaddr").With("host", host);
        if (options.Port is { } port)
            conninfo = conninfo.With("port", port.ToString(CultureInfo.InvariantCulture));
        if (options.Username is { } user)
            conninfo = conninfo.With("user", user);
        return true;
    }
}

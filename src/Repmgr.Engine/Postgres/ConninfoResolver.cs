using System.Globalization;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Engine.Postgres;

/// <summary>
/// Fills in what a connection string leaves open, from where libpq takes it: the service file, the environment, the
/// password file, the user's name and the default socket.
/// </summary>
public sealed class ConninfoResolver(ConninfoEnvironment environment)
{
    /// <summary>The string with the service's values and the environment's merged in, the given ones first; null when there is a problem.</summary>
    public Conninfo? Complete(Conninfo given, out Problem? problem)
    {
        ArgumentNullException.ThrowIfNull(given);
        Conninfo complete = given;
        string? service = given["service"] ?? environment["PGSERVICE"];
        problem = null;
        if (service is { Length: > 0 })
        {
            Conninfo? found = FindService(service, given["servicefile"] ?? environment["PGSERVICEFILE"], out problem);
            if (found is null)
                return null;
            complete = found.Merge(given);
        }

        foreach (ConninfoKeyword keyword in ConninfoKeyword.All)
        {
            if (keyword.Variable is { } variable && environment[variable] is { } value)
                complete = complete.WithDefault(keyword.Name, value);
        }

        return complete.Without("service").Without("servicefile");
    }

    /// <summary>The settings to connect with, or null and every problem.</summary>
    public ConnectionSettings? Resolve(Conninfo given, out IReadOnlyList<Problem> problems)
    {
        Conninfo? complete = Complete(given, out Problem? problem);
        if (complete is null)
        {
            problems = [problem!];
            return null;
        }

        return ConnectionSettingsReader.Read(complete, new ConnectionDefaults(environment.User, SocketDirectory(complete["port"])), out problems);
    }

    /// <summary>The password for a host from the password file; null when it has none. A file that others can read is not used.</summary>
    /// <param name="settings">What is connected with.</param>
    /// <param name="host">The host.</param>
    /// <param name="ignored">Why the file was not used, as a whole sentence; null when it was, or when there is none.</param>
    /// <remarks>https://www.postgresql.org/docs/current/libpq-pgpass.html</remarks>
    public string? FindPassword(ConnectionSettings settings, HostTarget host, out string? ignored)
    {
        ignored = null;
        if ((settings.Passfile ?? environment.InHome(".pgpass")) is not { } path || !File.Exists(path))
            return null;

        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
            | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & others) != 0)
        {
            ignored = $"The password file \"{path}\" is not used, because group or others have access to it; its mode should be 0600.";
            return null;
        }

        string name = host.Host.Length > 0 ? host.Host : host.Address!;
        if (host.IsSocket && environment.SocketDirectories.Contains(host.Host))
            name = "localhost";
        try
        {
            return PasswordFile.Find(File.ReadAllText(path), name, host.Port, settings.Database, settings.User);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            ignored = $"The password file \"{path}\" cannot be read: {e.Message}";
            return null;
        }
    }

    /// <summary>A file in <c>~/.postgresql</c>, if it exists.</summary>
    public string? DefaultFile(string name) =>
        environment.InHome(Path.Combine(".postgresql", name)) is { } path && File.Exists(path) ? path : null;

    /// <summary>The directory that has the socket of that port, else the first.</summary>
    private string SocketDirectory(string? ports)
    {
        string port = ports is { Length: > 0 } ? ports.Split(',')[0] : "5432";
        return environment.SocketDirectories.FirstOrDefault(directory => Path.Exists(Path.Combine(directory, $".s.PGSQL.{port}")))
            ?? environment.SocketDirectories[0];
    }

    /// <summary>The user's file first; the system's file only for a service that the user's does not have.</summary>
    private Conninfo? FindService(string service, string? file, out Problem? problem)
    {
        // A file that was named has to be there; the default one need not.
        if (file is not null && !File.Exists(file))
        {
            problem = new Problem($"service file \"{file}\" not found", $"It was to define service \"{service}\".");
            return null;
        }

        List<string> candidates = [file ?? environment.InHome(".pg_service.conf") ?? ""];
        candidates.AddRange((environment["PGSYSCONFDIR"] is { } directory ? [directory] : environment.SystemDirectories)
            .Select(system => Path.Combine(system, "pg_service.conf")));
        foreach (string candidate in candidates.Where(File.Exists))
        {
            try
            {
                Conninfo? found = ServiceFile.Find(File.ReadAllText(candidate), candidate, service, out problem);
                if (found is not null || problem is not null)
                    return found;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                problem = new Problem($"could not read service file \"{candidate}\"", e.Message);
                return null;
            }
        }

        problem = new Problem(
            $"definition of service \"{service}\" not found",
            string.Create(CultureInfo.InvariantCulture, $"Looked for in {string.Join(", ", candidates.Where(candidate => candidate.Length > 0))}."));
        return null;
    }
}

using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Hosts;
using Repmgr.Core.Planning.Promotion;
using Repmgr.Core.Postgres;
using Repmgr.Core.Settings;

namespace Repmgr.Engine.Hosts;

/// <summary>Puts together what is configured and what is found on this machine.</summary>
public static class LocalHost
{
    /// <summary>The data directory of this node: configured, or found.</summary>
    /// <param name="settings">The configuration.</param>
    /// <param name="server">What the server behind <c>conninfo</c> said; null when it was not asked or did not answer.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<Detected<string>> DataDirectoryAsync(Settings settings, ServerAnswer? server, CancellationToken cancel) =>
        HostDetection.DataDirectory(
            settings.DataDirectory,
            Port(settings),
            settings.DataDirectory is null ? await ObserveAsync(server, cancel) : new HostFacts());

    /// <summary>The directory of PostgreSQL's programs: configured, or found.</summary>
    /// <param name="settings">The configuration.</param>
    /// <param name="dataDirectory">The data directory, where it is known.</param>
    /// <param name="major">The major version that is needed; null: that of the data directory, if there is one.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<Detected<string>> BindirAsync(Settings settings, string? dataDirectory, int? major, CancellationToken cancel) =>
        HostDetection.Bindir(
            settings.PgBindir,
            dataDirectory,
            major ?? MajorOf(dataDirectory),
            settings.PgBindir is null ? await ObserveAsync(null, cancel) : new HostFacts());

    /// <summary>What starts and stops this node's server.</summary>
    /// <param name="settings">The configuration.</param>
    /// <param name="server">What the server behind <c>conninfo</c> said, if it was asked.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The first thing that is not clear: each names its own key, and setting one often settles the others.</returns>
    public static async Task<Detected<ServerControl>> ServerControlAsync(Settings settings, ServerAnswer? server, CancellationToken cancel) =>
        (await LookAsync(settings, server, cancel)).Control;

    /// <summary>All that is found out about this node's server, from one look at this machine.</summary>
    /// <param name="settings">The configuration.</param>
    /// <param name="server">What the server behind <c>conninfo</c> said, if it was asked.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<LocalHostLook> LookAsync(Settings settings, ServerAnswer? server, CancellationToken cancel)
    {
        HostFacts facts = await ObserveAsync(server, cancel);
        Detected<string> directory = HostDetection.DataDirectory(settings.DataDirectory, Port(settings), facts);
        string? known = (directory as Detected<string>.Found)?.Value;
        Detected<string> bindir = HostDetection.Bindir(settings.PgBindir, known, MajorOf(known), facts);
        return new LocalHostLook(directory, bindir, (directory, bindir) switch
        {
            (Detected<string>.Unclear unclear, _) => new Detected<ServerControl>.Unclear(unclear.Problem),
            (_, Detected<string>.Unclear unclear) => new Detected<ServerControl>.Unclear(unclear.Problem),
            (Detected<string>.Found where, Detected<string>.Found binaries) => Control(settings, where.Value, new PostgresBinaries(binaries.Value), facts),
            _ => throw new InvalidOperationException("detection answered neither found nor unclear"),
        });
    }

    private static Detected<ServerControl> Control(Settings settings, string directory, PostgresBinaries binaries, HostFacts facts)
    {
        var commands = new ServiceCommands(
            settings.ServiceStartCommand, settings.ServiceStopCommand, settings.ServiceRestartCommand, settings.ServiceReloadCommand);
        Detected<ServiceManager> manager = HostDetection.Manager(directory, facts);
        if (manager is Detected<ServiceManager>.Unclear unclear && commands is not { Start: not null, Stop: not null, Restart: not null })
            return new Detected<ServerControl>.Unclear(unclear.Problem);

        (ServiceManager who, string how) = manager is Detected<ServiceManager>.Found found
            ? (found.Value, found.How)
            : (new ServiceManager.PgCtl(), "from service_*_command in repmgr.conf");
        string[] options = settings.PgCtlOptions?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        return new Detected<ServerControl>.Found(new ServerControl(directory, binaries, who, commands, options), how);
    }

    /// <summary>Whether this process can promote a server without any right inside it: with <c>pg_ctl</c>, as its operating-system user.</summary>
    /// <param name="settings">The configuration.</param>
    /// <param name="server">What the server said of itself.</param>
    /// <param name="backend">The process that serves a connection to it.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<Detected<PromoteWay.PgCtl>> PromotionAsync(Settings settings, ServerFacts server, int backend, CancellationToken cancel)
    {
        HostFacts facts = await ObserveAsync(Answer(server.Version, server.DataDirectory), cancel);
        Detected<string> directory = HostDetection.DataDirectory(settings.DataDirectory, Port(settings), facts);
        if (directory is Detected<string>.Unclear nowhere)
            return new Detected<PromoteWay.PgCtl>.Unclear(nowhere.Problem);

        string dataDirectory = ((Detected<string>.Found)directory).Value;
        if (LocalServer.WhyNotOurs(dataDirectory, backend) is { } problem)
            return new Detected<PromoteWay.PgCtl>.Unclear(problem);

        return HostDetection.Bindir(settings.PgBindir, dataDirectory, server.Version.Major, facts) switch
        {
            Detected<string>.Found bindir => new Detected<PromoteWay.PgCtl>.Found(
                PromoteWay.PgCtl.In(new PostgresBinaries(bindir.Value).PgCtl, dataDirectory), ((Detected<string>.Found)directory).How),
            var unclear => new Detected<PromoteWay.PgCtl>.Unclear(((Detected<string>.Unclear)unclear).Problem),
        };
    }

    /// <summary>What a server said of itself, as detection wants it.</summary>
    public static ServerAnswer Answer(PostgresVersion version, string? dataDirectory) =>
        new(version, dataDirectory, dataDirectory is not null && Directory.Exists(dataDirectory));

    private static Task<HostFacts> ObserveAsync(ServerAnswer? server, CancellationToken cancel) =>
        new HostObserver(HostPlaces.OfThisMachine()).ObserveAsync(server, cancel);

    internal static int? MajorOf(string? dataDirectory)
    {
        try
        {
            return dataDirectory is not null
                && int.TryParse(File.ReadAllText(Path.Combine(dataDirectory, "PG_VERSION")).Trim(), CultureInfo.InvariantCulture, out int major)
                ? major
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // The first port counts: that of a list is not this node's alone.
    private static int Port(Settings settings) =>
        int.TryParse(
            (settings.Conninfo?["port"] ?? Environment.GetEnvironmentVariable("PGPORT"))?.Split(',')[0], CultureInfo.InvariantCulture, out int port)
            ? port
            : 5432;
}

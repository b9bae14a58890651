using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Hosts;
using Repmgr.Core.Postgres;
using Repmgr.Core.Settings;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Failover;

/// <summary>The node that an agent acts on.</summary>
/// <param name="Settings">Its configuration.</param>
/// <param name="ConfigFile">Where that came from.</param>
/// <param name="DataDirectory">Its data directory.</param>
/// <param name="Binaries">PostgreSQL's programs.</param>
/// <param name="Connector">Makes connections.</param>
internal sealed record AgentNode(Settings Settings, string ConfigFile, string DataDirectory, PostgresBinaries Binaries, PostgresConnector Connector)
{
    private static readonly TimeSpan GoneWithin = TimeSpan.FromSeconds(2), Tick = TimeSpan.FromMilliseconds(5);

    /// <summary>The data directory as the kernel names it: found by it, processes are of this server.</summary>
    public byte[] Canonical { get; } = ProcessSweep.Canonical(DataDirectory);

    public NodeId Id => Settings.NodeId!.Value;

    public Conninfo Conninfo => Settings.Conninfo!;

    public string Name => Settings.NodeName ?? string.Create(CultureInfo.InvariantCulture, $"node{Id}");

    public PostgresVersion Version { get; } =
        new(int.Parse(File.ReadAllText(Path.Combine(DataDirectory, "PG_VERSION")).Trim(), CultureInfo.InvariantCulture) * 10000);

    /// <summary>
    /// Why the data directory is not to be touched though no server runs: processes of the one before are left after a while, and may finish what they had begun to write
    /// ([26]). Null: none are.
    /// </summary>
    public async Task<string?> LeftoverAsync(CancellationToken cancel)
    {
        TimeSpan began = BootClock.Now;
        while (LocalServer.Look(DataDirectory) is not LocalServerState.Running && ProcessSweep.Left(Canonical) != 0)
        {
            if (BootClock.Now - began >= GoneWithin)
                return "processes of the server that was killed wait in the kernel still, usually for a disk";
            await Task.Delay(Tick, cancel);
        }

        return null;
    }

    public async Task<Detected<ServerControl>> ControlAsync(CancellationToken cancel) => await LocalHost.ServerControlAsync(Settings, null, cancel);
}

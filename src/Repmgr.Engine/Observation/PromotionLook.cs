using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Hosts;
using Repmgr.Core.Planning.Following;
using Repmgr.Core.Planning.Promotion;
using Repmgr.Core.Planning.Registration;
using Repmgr.Core.Postgres;
using Repmgr.Core.Settings;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Metadata;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Observation;

/// <summary>Looks at all that decides whether the local standby may be promoted.</summary>
public sealed class PromotionLook(PostgresConnector connector, ClusterObserver cluster)
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(5);

    /// <param name="self">The local node.</param>
    /// <param name="on">How it is reached.</param>
    /// <param name="settings">The configuration.</param>
    /// <param name="siblings">Ask the other standbys too how they can be pointed elsewhere.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<PromoteSeen> LookAsync(NodeId self, Conninfo on, Settings settings, bool siblings, CancellationToken cancel)
    {
        ConnectResult connected = await connector.OpenAsync(on, cancel);
        if (connected is not ConnectResult.Opened opened)
            return Unseen(NodeLook.ProbeOf(connected));

        await using PostgresSession session = opened.Session;
        NodeLook local = await NodeObserver.LookAsync(session, Within, cancel);
        if (local.Probe.Running is null)
            return Unseen(local.Probe);

        ClusterView view = await cluster.LookAtAllAsync(local, on, self, cancel);
        Answer<MetadataView> metadata = await session.RunAsync(
            (connection, token) => MetadataReader.ReadAsync(connection, null, settings.ReplicationUser, token), Within, cancel);
        Answer<ReplicationLook> replication = await ReplicationLook.AskAsync(session, Within, cancel);
        RightsView? rights = metadata is Answer<MetadataView>.Got got ? got.Value.Rights : null;
        ServerRoom? room = replication is Answer<ReplicationLook>.Got look ? look.Value.Room : null;
        return new PromoteSeen(
            local.Probe, view, rights, room, siblings ? await SiblingsAsync(self, view, on, cancel) : NoSiblings,
            await FromOutsideAsync(settings, local.Probe, rights, session, cancel));
    }

    // This machine is only looked through where the server's own function is not to be had.
    private static async Task<Detected<PromoteWay.PgCtl>?> FromOutsideAsync(
        Settings settings, NodeProbe local, RightsView? rights, PostgresSession session, CancellationToken cancel) =>
        settings.ServicePromoteCommand is null && local is NodeProbe.Standby standby && rights is { IsSuperuser: false, Promotes: false }
            ? await LocalHost.PromotionAsync(settings, standby.Server, session.Connection.ProcessID, cancel)
            : null;

    private static readonly IReadOnlyDictionary<NodeId, (Conninfo, FollowerView)> NoSiblings = new Dictionary<NodeId, (Conninfo, FollowerView)>();

    private static PromoteSeen Unseen(NodeProbe probe) => new(probe, new ClusterView(default, []), null, null, NoSiblings);

    private async Task<IReadOnlyDictionary<NodeId, (Conninfo On, FollowerView View)>> SiblingsAsync(
        NodeId self, ClusterView view, Conninfo own, CancellationToken cancel)
    {
        NodeView[] standbys = [.. PromotePlanner.Siblings(self, view).Where(node => node.Probe is NodeProbe.Standby)];
        FollowerView?[] followers = await Task.WhenAll(standbys.Select(node => FollowerAsync(NodeReach.Of(node.Record, own), cancel)));
        return standbys.Zip(followers)
            .Where(pair => pair.Second is not null)
            .ToDictionary(pair => pair.First.Record.Id, pair => (NodeReach.Of(pair.First.Record, own), pair.Second!));
    }

    private async Task<FollowerView?> FollowerAsync(Conninfo on, CancellationToken cancel)
    {
        if (await connector.OpenAsync(on, cancel) is not ConnectResult.Opened opened)
            return null;

        await using PostgresSession session = opened.Session;
        return await ReplicationLook.AskAsync(session, Within, cancel) is Answer<ReplicationLook>.Got got
            ? StandbyLook.Follower(got.Value, dataDirectory: null)
            : null;
    }
}

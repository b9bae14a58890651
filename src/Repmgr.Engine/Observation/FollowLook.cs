using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning.Following;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Observation;

/// <summary>Looks at all that decides whether a standby may follow a node.</summary>
/// <param name="connector">Makes connections.</param>
/// <param name="replication">Logs in the way a standby does.</param>
/// <param name="credentials">How the standby logs in, as configured.</param>
public sealed class FollowLook(PostgresConnector connector, ReplicationLogin replication, ReplicationCredentials credentials)
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(5);

    /// <param name="self">The standby's record.</param>
    /// <param name="on">How it is reached.</param>
    /// <param name="dataDirectory">Its data directory on this machine, if one is known.</param>
    /// <param name="target">The node it is to follow.</param>
    /// <param name="cluster">All nodes, looked at.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<FollowSeen> LookAsync(
        NodeRecord self, Conninfo on, string? dataDirectory, FollowTarget.Chosen target, ClusterView cluster, CancellationToken cancel)
    {
        Conninfo primaryOn = NodeReach.Of(target.Primary.Record, on);
        NodeView? former = self.Upstream is { } id && id != target.Upstream.Record.Id && id != self.Id ? cluster.Find(id) : null;

        // The standby first: a primary that is looked at before would seem to be behind what the standby has received since.
        (NodeProbe local, FollowerView? follower, CopyEnd? copy) = await StandbyAsync(self, on, dataDirectory, cancel);
        UpstreamView upstream = await UpstreamAsync(self, target.Upstream, on, cancel);
        return new FollowSeen(
            local, follower, copy, upstream, target.Primary.Record, primaryOn, former, former is null ? null : NodeReach.Of(former.Record, on));
    }

    private async Task<(NodeProbe, FollowerView?, CopyEnd?)> StandbyAsync(
        NodeRecord self, Conninfo on, string? dataDirectory, CancellationToken cancel)
    {
        ConnectResult connected = await connector.OpenAsync(on, cancel);
        if (connected is not ConnectResult.Opened opened)
            return (NodeLook.ProbeOf(connected), null, null);

        await using PostgresSession session = opened.Session;
        NodeProbe probe = (await NodeObserver.LookAsync(session, Within, cancel)).Probe;
        if (probe is not NodeProbe.Standby standby)
            return (probe, null, null);

        Answer<ReplicationLook> look = await ReplicationLook.AskAsync(session, Within, cancel);
        if (look is not Answer<ReplicationLook>.Got got)
            return (Lost(look), null, null);

        ReplicationAnswer identity = await replication.IdentifyAsync(AsReplication(self, on, null), cancel);
        string? directory = dataDirectory ?? (standby.Server.DataDirectory is { } told && Directory.Exists(told) ? told : null);
        return await StandbyLook.CopyAsync(session, standby, identity, directory, cancel) switch
        {
            Answer<CopyEnd>.Got copy => (probe, StandbyLook.Follower(got.Value, directory), copy.Value),
            Answer<CopyEnd>.Failed failed => (new NodeProbe.Silent(failed.Reason), null, null),
            _ => throw new InvalidOperationException("an answer of no known kind"),
        };
    }

    /// <summary>What the node says that is to be followed, also over a connection like the standby's own.</summary>
    public async Task<UpstreamView> UpstreamAsync(NodeRecord self, NodeView upstream, Conninfo own, CancellationToken cancel)
    {
        Conninfo on = NodeReach.Of(upstream.Record, own);
        if (upstream.Probe.Running is null)
            return new UpstreamView(upstream, on, null, null, null, null);

        ReplicationLook? look = null;
        if (await connector.OpenAsync(on, cancel) is ConnectResult.Opened opened)
        {
            await using PostgresSession session = opened.Session;
            look = await ReplicationLook.AskAsync(session, Within, cancel) is Answer<ReplicationLook>.Got got ? got.Value : null;
        }

        Conninfo login = AsReplication(self, on, look);
        ReplicationAnswer answer = await replication.IdentifyAsync(login, cancel);
        bool isPrimary = upstream.Probe is NodeProbe.Primary;
        bool grows = isPrimary || upstream.Probe is NodeProbe.Standby { Receiver.Status: "streaming" };
        return new UpstreamView(
            upstream,
            on,
            ReplicationLogin.AsSource(answer, isPrimary, grows),
            answer is ReplicationAnswer.Refused refused ? Refusal(upstream.Record, login, refused.Why) : null,
            look?.Room,
            look?.Rights);
    }

    private Conninfo AsReplication(NodeRecord self, Conninfo on, ReplicationLook? look)
    {
        string? user = credentials.User ?? (self.ReplicationUser.Length > 0 ? self.ReplicationUser : look?.Rights.Role);
        Conninfo login = user is null ? on : on.With("user", user);
        // The password of repmgr's own role is no other role's.
        if (user != on["user"])
            login = login.Without("password");
        if (credentials.Passfile is { } passfile)
            login = login.With("passfile", passfile);
        return credentials.Password is { } password ? login.With("password", password) : login;
    }

    private static Problem Refusal(NodeRecord node, Conninfo login, ReplicationRefusal refused)
    {
        return new Problem(
            $"node \"{node.Name}\" (ID: {node.Id}) does not let a standby in from here",
            $"A replication connection as the standby would make it was tried: {refused.Reason}",
            refused.Hint($"node \"{node.Name}\"", login["user"] ?? "repmgr"));
    }

    private static NodeProbe.Silent Lost(Answer<ReplicationLook> answer) =>
        new NodeProbe.Silent(answer is Answer<ReplicationLook>.Failed failed ? failed.Reason : "");
}

using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;
using static Repmgr.Tests.Cluster.World;

namespace Repmgr.Tests.Cluster;

public sealed class NodeReachTests
{
    private static readonly Conninfo Own = Read("host=node2 hostaddr=192.0.2.2 port=5433 user=repmgr dbname=repmgr password=S3cret");

    [Fact]
    public void An_upstream_is_reached_as_the_own_node_but_at_the_address_that_the_receiver_names() =>
        Assert.Equal(Read("host=node1 port=5432 user=repmgr dbname=repmgr password=S3cret"), NodeReach.Upstream(InRecovery(receiver: From("node1", 5432)), Own));

    [Fact]
    public void A_server_that_names_no_upstream_has_none()
    {
        NodeProbe[] without = [Writable(), Silent, InRecovery(), InRecovery(receiver: From(null, null)), InRecovery(receiver: From("node1", null))];

        Assert.All(without, probe => Assert.Null(NodeReach.Upstream(probe, Own)));
    }

    private static WalReceiverFacts From(string? host, int? port) => new("streaming", 1, host, port, null);

    private static Conninfo Read(string text)
    {
        Assert.True(Conninfo.TryParse(text, out Conninfo? conninfo, out _));
        return conninfo;
    }
}

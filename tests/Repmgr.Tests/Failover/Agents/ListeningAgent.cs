using System.Net;
using System.Net.Sockets;
using Repmgr.Agent;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Reports;
using Repmgr.Engine.Failover;

namespace Repmgr.Tests.Failover.Agents;

/// <summary>The API of an agent of node 2, which is in its fifth life, on a port of its own.</summary>
internal static class ListeningAgent
{
    public static async Task<(string Address, IAsyncDisposable Listening)> StartAsync(
        MessageSeal seal, AgentCertificates? certificates, Func<Envelope, Task<Envelope?>> deliver, CancellationToken cancel)
    {
        var api = new AgentApi(
            seal, new NodeId(2), 5, deliver, () => new AgentGreeting(OneAgent.Id(2), "6", true), (_, _) => null, () => null,
            () => new AgentHealth(2, "node2", true, false, true, true, 100, 3, 1, "voting", null, 3),
            () => AgentReport.Of(new OneAgent().State, TimeSpan.FromSeconds(1000)), _ => Task.FromResult(new Reply("Not now.")));
        string address = $"127.0.0.1:{FreePort()}";
        return (address, await ApiServer.StartAsync(api, address, certificates, cancel));
    }

    private static int FreePort()
    {
        using var any = new TcpListener(IPAddress.Loopback, 0);
        any.Start();
        return ((IPEndPoint)any.LocalEndpoint).Port;
    }
}

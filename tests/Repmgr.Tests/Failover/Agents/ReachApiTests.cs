using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Failover;
using Repmgr.Engine.Observation;
using Repmgr.Engine.Postgres;

namespace Repmgr.Tests.Failover.Agents;

/// <summary>An agent says whom its node can connect to.</summary>
public sealed class ReachApiTests : IDisposable
{
    private const ulong Boot = 0xB007;

    private static readonly byte[] Secret = [1, 2, 3];

    // It lets nobody in, and says nothing: a connection to it is made, and waited for.
    private readonly Socket _silent = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public ReachApiTests()
    {
        _silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _silent.Listen();
    }

    public void Dispose() => _silent.Dispose();

    [Fact]
    public async Task Who_has_the_secret_hears_whom_the_node_reaches_as_often_as_he_asks()
    {
        AgentApi api = Api(ReachTo("not a conninfo"));
        for (int time = 0; time < 2; time++)
        {
            ApiReply reply = await api.AnswerAsync(Sealed(AgentApi.ReachPath, Secret));
            Assert.Equal(200, reply.Status);
            ReachRow row = JsonSerializer.Deserialize(reply.Body.Span, AgentJson.Default.ReachRow)!;
            Assert.Equal((new NodeId(2), new NodeId(1), "its registered conninfo cannot be read"), (row.From, Assert.Single(row.To).Node, row.To[0].Failure));
        }

        Assert.Equal(401, (await api.AnswerAsync(Sealed(AgentApi.ReachPath, [9]))).Status);
        Assert.Equal(404, (await Api(null).AnswerAsync(Sealed(AgentApi.ReachPath, Secret))).Status);
    }

    [Fact]
    public async Task Who_asks_during_a_look_gets_that_look()
    {
        int port = ((IPEndPoint)_silent.LocalEndPoint!).Port;
        AgentReach reach = ReachTo(string.Create(CultureInfo.InvariantCulture, $"host=127.0.0.1 port={port} connect_timeout=2"));
        Task<ReachRow> first = reach.RowAsync();
        Assert.Same(first, reach.RowAsync());
        Assert.NotNull(Assert.Single((await first).To).Failure);
        Assert.NotSame(first, reach.RowAsync());
    }

    private static AgentReach ReachTo(string conninfo) => new(
        new NodeId(2), Conninfo.Empty, () => [new KnownNode(new NodeId(1), "node1", conninfo, "")], new NodeObserver(new PostgresConnector()),
        () => throw new InvalidOperationException("nobody else is asked"));

    private static AgentApi Api(AgentReach? reach) => new(
        new MessageSeal(Secret), new NodeId(2), Boot, _ => Task.FromResult<Envelope?>(null), () => new AgentGreeting(OneAgent.Id(2), "6", true), (_, _) => null, () => null,
        () => throw new InvalidOperationException("no health path is asked for"), () => AgentReport.Of(new OneAgent().State, default), _ => Task.FromResult(new Reply("Not now.")))
    { Reach = reach };

    private static ApiRequest Sealed(string path, byte[] secret)
    {
        SealedBy by = new(OneAgent.Id(1), 7, 1, Boot);
        string seal = new MessageSeal(secret).Of("GET", path, by, []);
        return new ApiRequest("GET", path, name => name switch
        {
            AgentApi.SenderHeader => by.Sender.ToString(),
            AgentApi.NonceHeader => by.Nonce,
            AgentApi.AudienceHeader => by.Audience.ToString("x", CultureInfo.InvariantCulture),
            _ => seal,
        }, default);
    }
}

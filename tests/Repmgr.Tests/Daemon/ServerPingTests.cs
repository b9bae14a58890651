using System.Net;
using System.Net.Sockets;
using System.Text;
using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Daemon;

namespace Repmgr.Tests.Daemon;

public sealed class ServerPingTests
{
    private static readonly TimeSpan LongEnough = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Any_first_word_is_an_answer_and_an_abstract_socket_is_one_too()
    {
        string name = "@repmgr-ping-" + Guid.NewGuid().ToString("N");
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint($"\0{name[1..]}/.s.PGSQL.5432"));
        listener.Listen(1);
        Task<string> asked = AnswerAsync(listener, "R\0\0\0\u0008\0\0\0\u0005salt");

        Assert.Null(await PingAsync(new HostTarget(name, null, 5432), LongEnough));
        Assert.EndsWith("user\0me\0database\0mine\0\0", await asked, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("E\0\0\0\u0020SFATAL\0VFATAL\0C57P03\0Mstarting\0\0", typeof(NodeProbe.Rejected), "takes no connections: it is starting up, shutting down or recovering")]
    [InlineData("E\0\0\0\u0020SFATAL\0VFATAL\0C28000\0Mno entry\0\0", null, "")]
    [InlineData("", typeof(NodeProbe.Silent), "closed a new connection without a word")]
    public async Task What_it_says_counts(string answer, Type? probe, string reason)
    {
        using Socket listener = Listen();
        Task asked = AnswerAsync(listener, answer);
        NodeProbe? refusal = await PingAsync(Target(listener), LongEnough);
        await asked;
        Assert.Equal(probe, refusal?.GetType());
        Assert.EndsWith(reason, (refusal as NodeProbe.Silent)?.Reason ?? (refusal as NodeProbe.Rejected)?.Reason ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_says_nothing_and_who_is_not_there_are_silent()
    {
        HostTarget target;
        using (Socket listener = Listen())
        {
            target = Target(listener);
            NodeProbe? refusal = await PingAsync(target, TimeSpan.FromMilliseconds(50));
            Assert.EndsWith("did not answer a new connection within 0.1 s", Assert.IsType<NodeProbe.Silent>(refusal).Reason, StringComparison.Ordinal);
        }

        Assert.EndsWith("Connection refused", Assert.IsType<NodeProbe.Silent>(await PingAsync(target, LongEnough)).Reason, StringComparison.Ordinal);
    }

    private static Task<NodeProbe?> PingAsync(HostTarget host, TimeSpan within) =>
        ServerPing.TryAsync(host, "me", "mine", within, TestContext.Current.CancellationToken);

    private static Socket Listen()
    {
        Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        return listener;
    }

    private static HostTarget Target(Socket listener) => new("", "127.0.0.1", ((IPEndPoint)listener.LocalEndPoint!).Port);

    /// <summary>Hears one greeting, gives this answer, and hangs up.</summary>
    private static async Task<string> AnswerAsync(Socket listener, string answer)
    {
        using Socket socket = await listener.AcceptAsync(TestContext.Current.CancellationToken);
        byte[] buffer = new byte[256];
        int read = await socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken);
        await socket.SendAsync(Encoding.Latin1.GetBytes(answer), TestContext.Current.CancellationToken);
        return Encoding.Latin1.GetString(buffer, 0, read);
    }
}

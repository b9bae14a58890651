using System.Text;
using System.Text.Json;
using CsCheck;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Failover;

namespace Repmgr.Tests.Failover.Agents;

/// <summary>What gets into an agent, and what does not.</summary>
public sealed class AgentApiTests
{
    private const ulong Boot = 0xB007;

    private static readonly byte[] Secret = [1, 2, 3];
    private static readonly byte[] Body = JsonSerializer.SerializeToUtf8Bytes(
        WireMessage.Of(new Envelope(OneAgent.Id(1), new NodeId(2), new Message.Resign(new Term(3)))), AgentJson.Default.WireMessage);

    private readonly List<Envelope> _delivered = [];
    private readonly List<Request> _asked = [];
    private readonly AgentApi _api;
    private Envelope? _answer;

    public AgentApiTests() => _api = new AgentApi(
        new MessageSeal(Secret), new NodeId(2), Boot, Deliver, () => new AgentGreeting(OneAgent.Id(2), "6", true),
        (name, _) => name == "000000010000000000000001" ? [7] : null, () => 4, () => Healthy,
        () => AgentReport.Of(new OneAgent().State, TimeSpan.FromSeconds(1000)) with { Name = "node2" }, request =>
        {
            _asked.Add(request);
            return Task.FromResult(new Reply("Not now."));
        });

    private static AgentHealth Healthy => new(2, "node2", true, false, true, true, 100, 3, 1, "voting", null, 3);

    [Fact]
    public void Who_is_in_the_synchronous_set_is_told_from_who_is_not()
    {
        AgentHealth member = Healthy with { Commits = new CommitProtection(SyncMode.Quorum, 1, 1, [2, 3], IsMember: true, null) };
        AgentHealth other = Healthy with { Commits = new CommitProtection(SyncMode.Quorum, 1, 1, [3], IsMember: false, null) };
        Assert.Equal((200, 503, 200), (Status(member, "/synchronous"), Status(member, "/asynchronous"), Status(member, "/replica")));
        Assert.Equal((503, 200, 200), (Status(other, "/sync"), Status(other, "/async"), Status(other, "/replica")));
        Assert.Equal((503, 200), (Status(Healthy, "/synchronous"), Status(Healthy, "/asynchronous")));
        Assert.Equal(503, Status(member with { IsStreaming = false }, "/synchronous"));

        static int Status(AgentHealth health, string path) => HealthPaths.Answer("GET", path, health, () => Unknown).Status;
    }

    [Fact]
    public void A_sealed_message_is_delivered_once()
    {
        ApiRequest request = Sealed("POST", AgentApi.MessagesPath, Body, number: 1);
        Assert.Equal(204, Answer(request).Status);
        Assert.Equal(403, Answer(request).Status);
        Assert.Single(_delivered);
    }

    [Fact]
    public void What_is_said_to_the_sender_at_once_goes_back_with_the_reply()
    {
        _answer = new Envelope(OneAgent.Id(2), new NodeId(1), new Message.Superseded(new Term(9), new NodeId(3)));
        ApiReply reply = Answer(Sealed("POST", AgentApi.MessagesPath, Body, number: 1));
        Assert.Equal(200, reply.Status);
        Assert.Equal(_answer, WireMessage.Read(reply.Body.Span));
        Assert.Equal(new MessageSeal(Secret).OfReply("7.1", 200, reply.Body.Span), reply.Seal);
    }

    [Fact]
    public void Whatever_is_changed_on_the_way_keeps_it_out()
    {
        ApiRequest good = Sealed("POST", AgentApi.MessagesPath, Body, number: 1);
        byte[] other = [.. Body];
        other[^3] ^= 1;
        Assert.Equal(401, Answer(good with { Body = other }).Status);
        Assert.Equal(401, Answer(good with { Path = AgentApi.GreetingPath, Method = "GET" }).Status);
        Assert.Equal(401, Answer(good with { Header = name => name == AgentApi.SenderHeader ? "3#3" : good.Header(name) }).Status);
        Assert.Equal(401, Answer(good with { Header = name => name == AgentApi.NonceHeader ? "7.2" : good.Header(name) }).Status);
        Assert.Equal(401, Answer(good with { Header = _ => null }).Status);
        Assert.Equal(401, Answer(Sealed("POST", AgentApi.MessagesPath, Body, number: 1, secret: [1, 2, 4])).Status);
        Assert.Empty(_delivered);
    }

    [Fact]
    public void A_request_that_was_meant_for_an_earlier_life_is_answered_with_the_present_one()
    {
        ApiReply reply = Answer(Sealed("POST", AgentApi.MessagesPath, Body, number: 1, audience: 5));
        Assert.Equal(409, reply.Status);
        Assert.Equal("b007", Encoding.ASCII.GetString(reply.Body.Span));
        Assert.Equal(new MessageSeal(Secret).OfReply("7.1", 409, reply.Body.Span), reply.Seal);
        Assert.Empty(_delivered);
    }

    [Fact]
    public void Nobody_speaks_for_another()
    {
        byte[] forged = JsonSerializer.SerializeToUtf8Bytes(
            WireMessage.Of(new Envelope(OneAgent.Id(3), new NodeId(2), new Message.Resign(new Term(3)))), AgentJson.Default.WireMessage);
        byte[] misled = JsonSerializer.SerializeToUtf8Bytes(
            WireMessage.Of(new Envelope(OneAgent.Id(1), new NodeId(3), new Message.Resign(new Term(3)))), AgentJson.Default.WireMessage);
        Assert.Equal(400, Answer(Sealed("POST", AgentApi.MessagesPath, forged, number: 1)).Status);
        Assert.Equal(400, Answer(Sealed("POST", AgentApi.MessagesPath, misled, number: 2)).Status);
        Assert.Empty(_delivered);
    }

    [Fact]
    public void Nothing_that_comes_in_is_answered_with_an_exception()
    {
        ulong number = 0;
        Gen.Byte.Array[0, 300].Sample(body => Assert.Equal(400, Answer(Sealed("POST", AgentApi.MessagesPath, body, ++number)).Status), threads: 1);
        Gen.String.Sample(path => Assert.InRange(Answer(new ApiRequest("GET", path, _ => path, default)).Status, 200, 599));
        Gen.String.Sample(file => Assert.InRange(Answer(Sealed("GET", AgentApi.WalPath + file, [], ++number)).Status, 200, 404), threads: 1);
    }

    [Fact]
    public void Wal_is_served_piece_by_piece_to_who_has_the_secret()
    {
        const string File = AgentApi.WalPath + "000000010000000000000001?offset=0";
        Assert.Equal([7], Answer(Sealed("GET", File, [], 1)).Body.ToArray());
        Assert.Equal(404, Answer(Sealed("GET", AgentApi.WalPath + "../PG_VERSION?offset=0", [], 2)).Status);
        Assert.Equal(401, Answer(new ApiRequest("GET", File, _ => null, default)).Status);
    }

    [Fact]
    public void A_number_is_used_once_whatever_the_order()
    {
        var used = new UsedNonces();
        Assert.All((ulong[])[5, 3, 4, 70, 10, 69], number => Assert.True(used.Use(By(number))));
        Assert.All((ulong[])[5, 3, 4, 70, 10, 69, 0, 6, 1], number => Assert.False(used.Use(By(number))));
        Assert.True(used.Use(By(5) with { Boot = 8 }));
    }

    [Theory]
    [InlineData("/", 503, 200)]
    [InlineData("/primary", 503, 200)]
    [InlineData("/leader", 503, 200)]
    [InlineData("/read-write", 503, 200)]
    [InlineData("/replica", 200, 503)]
    [InlineData("/replica?lag=100", 200, 503)]
    [InlineData("/replica?lag=99", 503, 503)]
    [InlineData("/replica?lag=1MB", 200, 503)]
    [InlineData("/replica?lag=many", 503, 503)]
    [InlineData("/master", 503, 200)]
    [InlineData("/read-only", 200, 200)]
    [InlineData("/asynchronous", 200, 503)]
    [InlineData("/async", 200, 503)]
    [InlineData("/standby-leader", 503, 503)]
    [InlineData("/quorum", 503, 503)]
    [InlineData("/read-only-sync", 503, 200)]
    [InlineData("/read-only-quorum", 503, 200)]
    [InlineData("/patroni", 200, 200)]
    [InlineData("/readiness?lag=99", 503, 200)]
    [InlineData("/synchronous", 503, 503)]
    [InlineData("/sync", 503, 503)]
    [InlineData("/health", 200, 200)]
    [InlineData("/liveness", 200, 200)]
    [InlineData("/readiness", 200, 200)]
    [InlineData("/cluster", 200, 200)]
    [InlineData("/history", 200, 200)]
    [InlineData("/metrics", 200, 200)]
    [InlineData("/nowhere", 404, 404)]
    public void Load_balancers_get_the_codes_that_they_know_from_Patroni(string path, int onStandby, int onPrimary)
    {
        AgentHealth primary = Healthy with { IsPrimary = true, IsStandby = false, IsStreaming = false, Lag = null };
        Assert.All(["GET", "HEAD", "OPTIONS"], method =>
        {
            Assert.Equal(onStandby, Answer(new ApiRequest(method, path, _ => null, default)).Status);
            Assert.Equal(onPrimary, HealthPaths.Answer(method, path, primary, () => Unknown).Status);
        });
        Assert.Equal(405, HealthPaths.Answer("POST", path, primary, () => Unknown).Status);
    }

    [Fact]
    public void A_request_is_put_to_the_agent_once_and_its_answer_comes_back()
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(WireRequest.Of(new Request.Pause(TimeSpan.FromMinutes(5))), AgentJson.Default.WireRequest);
        ApiRequest request = Sealed("POST", AgentApi.RequestsPath, body, number: 1);
        Assert.Equal("Not now.", JsonSerializer.Deserialize(Answer(request).Body.Span, AgentJson.Default.Reply)!.Refusal);
        Assert.Equal(403, Answer(request).Status);
        Assert.Equal(new Request.Pause(TimeSpan.FromMinutes(5)), Assert.Single(_asked));
        Assert.Equal(400, Answer(Sealed("POST", AgentApi.RequestsPath, "{}"u8.ToArray(), number: 2)).Status);
        Assert.Equal(401, Answer(request with { Body = "{}"u8.ToArray() }).Status);
    }

    [Fact]
    public void All_requests_travel()
    {
        foreach (Request request in new Request[] { new Request.Pause(TimeSpan.FromSeconds(1)), new Request.Resume(), new Request.ResumeWithoutHolder(), new Request.HandOver(new NodeId(3)),
            new Request.SetSynchronous(SyncMode.Strict, 2), new Request.SetTimes(new AgreedTimes(TimeSpan.FromSeconds(4), TimeSpan.FromMinutes(1))) })
        {
            byte[] bytes = JsonSerializer.SerializeToUtf8Bytes(WireRequest.Of(request), AgentJson.Default.WireRequest);
            Assert.Equal(request, JsonSerializer.Deserialize(bytes, AgentJson.Default.WireRequest)!.Asked());
        }
    }

    [Fact]
    public void Commands_that_only_look_leave_nothing_behind_however_many_they_are()
    {
        for (ulong life = 1; life <= 5000; life++)
        {
            SealedBy by = By(1) with { Boot = life };
            var look = new ApiRequest("GET", AgentApi.ReportPath, name => name switch
            {
                AgentApi.SenderHeader => by.Sender.ToString(),
                AgentApi.NonceHeader => by.Nonce,
                AgentApi.AudienceHeader => by.Audience.ToString("x", System.Globalization.CultureInfo.InvariantCulture),
                _ => new MessageSeal(Secret).Of("GET", AgentApi.ReportPath, by, []),
            }, default);
            Assert.Equal(200, Answer(look).Status);
        }

        Assert.Equal(204, Answer(Sealed("POST", AgentApi.MessagesPath, Body, number: 1)).Status);
        Assert.Equal(401, Answer(new ApiRequest("GET", AgentApi.ReportPath, _ => null, default)).Status);
    }

    [Fact]
    public void What_an_agent_says_of_itself_comes_over_as_it_is()
    {
        AgentReport report = AgentReport.Of(Scenes.Serving().Ask(new Request.Pause(TimeSpan.FromSeconds(60))).State, TimeSpan.FromSeconds(1000.2));
        byte[] bytes = JsonSerializer.SerializeToUtf8Bytes(report, AgentJson.Default.AgentReport);
        AgentReport read = JsonSerializer.Deserialize(bytes, AgentJson.Default.AgentReport)!;
        Assert.Equal(bytes, JsonSerializer.SerializeToUtf8Bytes(read, AgentJson.Default.AgentReport));
        Assert.Equal((report.Term, report.Holder, report.Pause, report.Position), (read.Term, read.Holder, read.Pause, read.Position));
        Assert.NotEmpty(read.Decisions);
    }

    [Fact]
    public void The_history_has_Patroni_s_form()
    {
        var history = new TermHistory([
            new TermLine(new Term(1), 1, Lsn.Zero, new Term(1)), new TermLine(new Term(2), 1, new Lsn(50), new Term(1)),
            new TermLine(new Term(3), 2, new Lsn(100), new Term(3)) { Holder = new NodeId(2) }, new TermLine(new Term(4), 3, new Lsn(900), new Term(4)) { Holder = new NodeId(3) }]);
        TermBegan began = new(new Term(4), new DateTimeOffset(2026, 12, 1, 5, 0, 0, TimeSpan.Zero));
        ApiReply reply = HealthPaths.Answer("GET", "/history", Healthy, () => new EndedTimelines(history, [began], node => node == new NodeId(3) ? "north" : null));
        Assert.Equal(
            "[[1,100,\"no recovery target specified, term 3\"],[2,900,\"no recovery target specified, term 4\",\"2026-12-01T05:00:00.000000+00:00\",\"north\"]]\n",
            Encoding.UTF8.GetString(reply.Body.Span));
        Assert.Equal("[]\n", Encoding.UTF8.GetString(HealthPaths.Answer("GET", "/history", Healthy, () => Unknown).Body.Span));
    }

    private Task<Envelope?> Deliver(Envelope envelope)
    {
        _delivered.Add(envelope);
        return Task.FromResult(_answer);
    }

    // Nothing here waits for anything: it is answered when it returns.
    private ApiReply Answer(ApiRequest request) => _api.AnswerAsync(request).GetAwaiter().GetResult();

    private static EndedTimelines Unknown { get; } = new(null, [], _ => null);

    private static SealedBy By(ulong number, ulong audience = Boot) => new(OneAgent.Id(1), 7, number, audience);

    private static ApiRequest Sealed(string method, string path, byte[] body, ulong number, ulong audience = Boot, byte[]? secret = null)
    {
        SealedBy by = By(number, audience);
        string seal = new MessageSeal(secret ?? Secret).Of(method, path, by, body);
        return new ApiRequest(method, path, name => name switch
        {
            AgentApi.SenderHeader => by.Sender.ToString(),
            AgentApi.NonceHeader => by.Nonce,
            AgentApi.AudienceHeader => by.Audience.ToString("x", System.Globalization.CultureInfo.InvariantCulture),
            _ => seal,
        }, body);
    }
}

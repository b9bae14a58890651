using System.Text;
using System.Text.Json.Nodes;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Store;
using Repmgr.Core.Problems;
using Repmgr.Engine.Failover.Store;
using Repmgr.Engine.Logging;

namespace Repmgr.Tests.Failover.Store;

/// <summary>What is compared and what is written in etcd, and what becomes of an agent's messages there.</summary>
public sealed class EtcdStoreTests : IDisposable
{
    private const string Prefix = "/repmgr/";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly FakeEtcd _etcd = new();
    private readonly CancellationTokenSource _end = new();
    private readonly List<IDisposable> _open = [];

    [Fact]
    public async Task R2_a_renewal_is_one_transaction_that_compares_both_keys_and_no_lease_id_34()
    {
        Agent agent = await AgentAsync(1);
        await agent.AskAsync(StoreScene.Renew(1, 1, number: 1));
        int before = _etcd.Transactions.Count;
        await agent.AskAsync(StoreScene.Renew(1, 1, number: 2));
        JsonNode transaction = Assert.Single(_etcd.Transactions.Skip(before), IsWritten);
        Assert.Equal(["/repmgr/0000000000000abc/state", "/repmgr/0000000000000abc/promise"], Keys(transaction["compare"]!, item => item));
        Assert.All(transaction["compare"]!.AsArray(), item => Assert.True(item!["mod_revision"]!.GetValue<long>() > 0));
        Assert.Equal(["/repmgr/0000000000000abc/promise"], Keys(transaction["success"]!, item => item["request_put"]!));
    }

    [Fact]
    public async Task A_vote_writes_what_is_remembered_and_the_word_in_one_transaction()
    {
        Agent agent = await AgentAsync(2, promise: null);
        Assert.Null(Assert.IsType<Message.Vote>(await agent.AskAsync(StoreScene.AskVote(2, 2))).Refusal);
        JsonNode transaction = _etcd.Transactions.Last(IsWritten);
        Assert.Equal(["/repmgr/0000000000000abc/promise", "/repmgr/0000000000000abc/state"], Keys(transaction["success"]!, item => item["request_put"]!));
        Assert.Equal(2, transaction["compare"]!.AsArray().Count);
    }

    [Fact]
    public async Task Who_was_overtaken_hears_it_at_once()
    {
        Agent first = await AgentAsync(1, promise: null), second = Link(2);
        await first.AskAsync(StoreScene.Renew(1, 1));
        // The first one gave the term back, by another way than this link.
        int before = _etcd.Transactions.Count;
        Link(1).Link.Send(StoreScene.From(1, new Message.Resign(new Term(1))));
        await Eventually(() => _etcd.Transactions.Skip(before).Any(IsWritten));
        Assert.Null(Assert.IsType<Message.Vote>(await second.AskAsync(StoreScene.AskVote(2, 2))).Refusal);
        Assert.Equal(new Message.Superseded(new Term(2), null), await first.AskAsync(StoreScene.Renew(1, 1, number: 2)));
    }

    [Fact]
    public async Task A_transaction_whose_answer_is_lost_is_done_once_and_what_follows_goes_by_what_lies_there()
    {
        Agent agent = await AgentAsync(2, promise: null);
        int before = _etcd.Transactions.Count;
        _etcd.LosesAnswer = true;
        agent.Link.Send(StoreScene.AskVote(2, 2));
        await Eventually(() => !_etcd.LosesAnswer);
        Assert.Equal(0, agent.Heard);
        // It asks again for what it has.
        Assert.Null(Assert.IsType<Message.Vote>(await agent.AskAsync(StoreScene.AskVote(2, 2))).Refusal);
        Assert.Single(_etcd.Transactions.Skip(before), transaction => IsWritten(transaction) && transaction["success"]!.AsArray().Count == 2);
        Assert.Equal(new Term(2), Assert.IsType<Message.Renewed>(await agent.AskAsync(StoreScene.Renew(2, 2))).Term);
    }

    [Fact]
    public async Task What_lies_there_first_overwrites_nothing()
    {
        EtcdStore store = Store(Options(_etcd.Url));
        StoredVoter first = StoredVoter.First(StoreScene.Durable(1), TimeSpan.FromSeconds(3));
        Assert.Null(await store.CreateAsync(StoreScene.Store, first, _end.Token));
        Assert.Equal("something lies at /repmgr/0000000000000abc/state already", await store.CreateAsync(StoreScene.Store, first, _end.Token));
        Assert.Equal(2, _etcd.Keys.Count);
        var read = Assert.IsType<StoreOutcome.Overtaken>(await store.ReadAsync(StoreScene.Store, _end.Token));
        Assert.Equal(first.Promise, read.Content.Voter.Promise);
        Assert.Equal(first.Durable, read.Content.Voter.Durable with { Membership = first.Durable.Membership });
        Assert.IsType<StoreOutcome.Absent>(await store.ReadAsync(new VoterId(VoterId.StoreNode, 1), _end.Token));
    }

    [Fact]
    public async Task A_token_that_is_forgotten_is_asked_for_again_and_no_failure_tells_the_password()
    {
        _etcd.Password = "secret of etcd";
        EtcdStore store = Store(Options(_etcd.Url) with { User = "repmgr", Password = () => _etcd.Password });
        Assert.IsType<StoreOutcome.Absent>(await store.ReadAsync(StoreScene.Store, _end.Token));
        _etcd.Token = "token.2";
        Assert.IsType<StoreOutcome.Absent>(await store.ReadAsync(StoreScene.Store, _end.Token));
        Assert.Equal(["repmgr", "repmgr"], _etcd.Logins);

        EtcdStore wrong = Store(Options(_etcd.Url) with { User = "repmgr", Password = () => "another secret" });
        var refused = Assert.IsType<StoreOutcome.Unknown>(await wrong.ReadAsync(StoreScene.Store, _end.Token));
        Assert.Contains("user \"repmgr\" is not let in", refused.Why, StringComparison.Ordinal);
        Assert.DoesNotContain("another secret", refused.Why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_endpoint_that_does_not_answer_is_left_for_the_next_one()
    {
        Uri nobody = new("http://127.0.0.1:1");
        Assert.IsType<StoreOutcome.Absent>(await Store(Options(nobody, _etcd.Url)).ReadAsync(StoreScene.Store, _end.Token));
        var unknown = Assert.IsType<StoreOutcome.Unknown>(await Store(Options(nobody)).ReadAsync(StoreScene.Store, _end.Token));
        Assert.StartsWith("127.0.0.1:1: ", unknown.Why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_revision_of_three_hours_ago_is_looked_for_and_a_store_that_keeps_it_is_told_from_one_that_compacts()
    {
        var history = new StoreHistory();
        TimeSpan start = TimeSpan.FromHours(1);
        Assert.Null(history.Due(100, start));
        Assert.Null(history.Due(200, start + TimeSpan.FromHours(2.99)));
        Assert.Equal(100, history.Due(300, start + TimeSpan.FromHours(3)));
        Assert.Null(history.Due(400, start + TimeSpan.FromHours(4)));
        Assert.Equal(300, history.Due(500, start + TimeSpan.FromHours(6)));

        EtcdStore store = Store(Options(_etcd.Url));
        Assert.True(await store.KeepsAsync(StoreScene.Store, 100, _end.Token));
        _etcd.CompactedBefore = 150;
        Assert.False(await store.KeepsAsync(StoreScene.Store, 100, _end.Token));
    }

    public void Dispose()
    {
        _end.Cancel();
        _open.ForEach(open => open.Dispose());
        _etcd.Dispose();
        _end.Dispose();
    }

    private static bool IsWritten(JsonNode transaction) => transaction["compare"]!.AsArray().Count > 0;

    private static string[] Keys(JsonNode items, Func<JsonNode, JsonNode> keyOf) =>
        [.. items.AsArray().Select(item => Encoding.UTF8.GetString(Convert.FromBase64String((string)keyOf(item!)["key"]!)))];

    private static EtcdOptions Options(params Uri[] endpoints) => new(endpoints, null, () => null, null, null);

    private static async Task Eventually(Func<bool> condition)
    {
        using var deadline = new CancellationTokenSource(Patience);
        while (!condition())
            await Task.Delay(5, deadline.Token);
    }

    private EtcdStore Store(EtcdOptions options)
    {
        var client = new EtcdClient(options, TimeSpan.FromSeconds(5));
        _open.Add(client);
        return new EtcdStore(client, Prefix);
    }

    private async Task<Agent> AgentAsync(int node, StoredPromise? promise)
    {
        Assert.Null(await Store(Options(_etcd.Url)).CreateAsync(StoreScene.Store, new StoredVoter(StoreScene.Durable(1), promise), _end.Token));
        return Link(node);
    }

    private Task<Agent> AgentAsync(int node) => AgentAsync(node, new StoredPromise(new Term(1), new NodeId(1), TimeSpan.FromSeconds(3), default));

    private Agent Link(int node)
    {
        var agent = new Agent();
        agent.Link = new StoreLink(
            Store(Options(_etcd.Url)), Prefix, OneAgent.Id(node), new AgentPolicy(), () => StoreScene.Store, agent.Hear, new NoLog());
        _ = agent.Link.RunAsync(_end.Token);
        return agent;
    }

    /// <summary>An agent's end of the link.</summary>
    private sealed class Agent
    {
        private TaskCompletionSource<Message> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public StoreLink Link { get; set; } = null!;

        public int Heard { get; private set; }

        public void Hear(Envelope envelope)
        {
            Heard++;
            _answer.TrySetResult(envelope.Message);
        }

        public Task<Message> AskAsync(Envelope envelope)
        {
            _answer = new TaskCompletionSource<Message>(TaskCreationOptions.RunContinuationsAsynchronously);
            Link.Send(envelope);
            return _answer.Task.WaitAsync(Patience);
        }
    }

    private sealed class NoLog : ILog
    {
        public bool Writes(Severity severity) => false;

        public void Write(LogLine line)
        {
        }
    }
}

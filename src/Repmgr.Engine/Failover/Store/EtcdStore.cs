using System.Globalization;
using System.Text;
using System.Text.Json;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Store;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Failover.Store;

/// <summary>What lies in the store, with the revisions of its two keys.</summary>
internal sealed record StoreContent(StoredVoter Voter, long StateRevision, long PromiseRevision);

/// <summary>What came of a transaction.</summary>
internal abstract record StoreOutcome
{
    private StoreOutcome() { }

    /// <summary>The store has it.</summary>
    public sealed record Taken(StoreContent Content) : StoreOutcome;

    /// <summary>Something else lies there than what was decided on: this.</summary>
    public sealed record Overtaken(StoreContent Content) : StoreOutcome;

    /// <summary>Nothing of this cluster lies there.</summary>
    public sealed record Absent : StoreOutcome;

    /// <summary>Whether it has it is not known.</summary>
    public sealed record Unknown(string Why) : StoreOutcome;
}

/// <summary>
/// The store's voter in two keys of etcd, below the random number of that voter: what it remembers, which changes with each term, and its word, which
/// each renewal changes. Each transaction compares the revisions of both (docs/adr/0116).
/// </summary>
internal sealed class EtcdStore(EtcdClient client, string prefix) : IDisposable
{
    private const int Layout = 1;

    public static string KeyOf(string prefix, VoterId store, string name) => string.Create(CultureInfo.InvariantCulture, $"{prefix}{store.State:x16}/{name}");

    public void Dispose() => client.Dispose();

    public async Task<StoreOutcome> ReadAsync(VoterId store, CancellationToken cancel) =>
        await RunAsync(new EtcdTxn([], ReadBoth(store), []), store, null, cancel);

    /// <summary>Writes what was decided, if both keys are as they were seen.</summary>
    public async Task<StoreOutcome> CommitAsync(VoterId store, StoreView view, StoreTurn turn, CancellationToken cancel) =>
        await RunAsync(Commit(store, view, turn), store, (view, turn), cancel);

    /// <summary>What lies there first. Null: it does now; else why not.</summary>
    public async Task<string?> CreateAsync(VoterId store, StoredVoter first, CancellationToken cancel)
    {
        var transaction = new EtcdTxn(
            [new EtcdCompare(StateKey(store), 0), new EtcdCompare(PromiseKey(store), 0)], [PutState(store, first.Durable), PutPromise(store, first.Promise)], []);
        return await client.TransactAsync(transaction, cancel) switch
        {
            Answer<EtcdTxnReply>.Got { Value.Succeeded: true } => null,
            Answer<EtcdTxnReply>.Failed failed => failed.Reason,
            _ => $"something lies at {KeyOf(prefix, store, "state")} already",
        };
    }

    /// <summary>The history of the store reaches back to this revision: it was not compacted since.</summary>
    public async Task<bool> KeepsAsync(VoterId store, long revision, CancellationToken cancel) =>
        await client.TransactAsync(new EtcdTxn([], [new EtcdOperation(null, new EtcdRange(PromiseKey(store), revision))], []), cancel) is Answer<EtcdTxnReply>.Got;

    internal EtcdTxn Commit(VoterId store, StoreView view, StoreTurn turn) => new(
        [new EtcdCompare(StateKey(store), view.StateRevision), new EtcdCompare(PromiseKey(store), view.PromiseRevision)],
        turn.IsRemembered ? [PutPromise(store, turn.Next!.Promise), PutState(store, turn.Next.Durable)] : [PutPromise(store, turn.Next!.Promise)],
        ReadBoth(store));

    private async Task<StoreOutcome> RunAsync(EtcdTxn transaction, VoterId store, (StoreView View, StoreTurn Turn)? commit, CancellationToken cancel)
    {
        Answer<EtcdTxnReply> answer = await client.TransactAsync(transaction, cancel);
        if (answer is not Answer<EtcdTxnReply>.Got { Value: { } reply })
            return new StoreOutcome.Unknown(answer is Answer<EtcdTxnReply>.Failed failed ? failed.Reason : "it takes too long");
        if (commit is var (view, turn) && reply.Succeeded)
        {
            long revision = reply.Header.Revision;
            return new StoreOutcome.Taken(new StoreContent(turn.Next!, turn.IsRemembered ? revision : view.StateRevision, revision));
        }

        try
        {
            return Content(reply, store) is { } content ? new StoreOutcome.Overtaken(content) : new StoreOutcome.Absent();
        }
        catch (JsonException damaged)
        {
            return new StoreOutcome.Unknown($"what lies at {KeyOf(prefix, store, "")} cannot be read: {damaged.Message}");
        }
    }

    private StoreContent? Content(EtcdTxnReply reply, VoterId store)
    {
        EtcdKeyValue[] found = [.. (reply.Responses ?? []).SelectMany(response => response.ResponseRange?.Kvs ?? [])];
        EtcdKeyValue? state = Find(found, StateKey(store)), promise = Find(found, PromiseKey(store));
        if (state is null || promise is null)
            return null;
        StoredState remembered = JsonSerializer.Deserialize(state.Value, AgentJson.Default.StoredState) ?? throw new JsonException("it is empty");
        if (remembered.Version > Layout)
            throw new JsonException(string.Create(CultureInfo.InvariantCulture, $"it has version {remembered.Version}, and this program knows version {Layout}"));
        return new StoreContent(
            new StoredVoter(remembered.Durable, JsonSerializer.Deserialize(promise.Value, AgentJson.Default.StoredPromise)), state.ModRevision, promise.ModRevision);
    }

    private static EtcdKeyValue? Find(EtcdKeyValue[] found, byte[] key) => Array.Find(found, item => item.Key.AsSpan().SequenceEqual(key));

    private EtcdOperation[] ReadBoth(VoterId store) => [new(null, new EtcdRange(StateKey(store))), new(null, new EtcdRange(PromiseKey(store)))];

    private EtcdOperation PutState(VoterId store, DurableState durable) =>
        new(new EtcdPut(StateKey(store), JsonSerializer.SerializeToUtf8Bytes(new StoredState(Layout, durable), AgentJson.Default.StoredState)), null);

    private EtcdOperation PutPromise(VoterId store, StoredPromise? promise) =>
        new(new EtcdPut(PromiseKey(store), JsonSerializer.SerializeToUtf8Bytes(promise, AgentJson.Default.StoredPromise!)), null);

    private byte[] StateKey(VoterId store) => Encoding.UTF8.GetBytes(KeyOf(prefix, store, "state"));

    private byte[] PromiseKey(VoterId store) => Encoding.UTF8.GetBytes(KeyOf(prefix, store, "promise"));
}

using System.Threading.Channels;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Failover.Store;
using Repmgr.Engine.Logging;

namespace Repmgr.Engine.Failover.Store;

/// <summary>
/// Carries what the machine says to the store's voter, lets that voter decide here, and hands its answers back when the store has them (docs/adr/0116). One exchange
/// at a time, none on the agent's loop (R16). What does not get through is said anew by the machine.
/// </summary>
/// <param name="store">What lies in etcd.</param>
/// <param name="prefix">Below which keys.</param>
/// <param name="self">Whose agent this is.</param>
/// <param name="policy">For the times; those that the cluster agreed on come with what lies in the store.</param>
/// <param name="voter">The store's voter in the membership that the machine knows; null: the lease does not lie in a store, or it is not known yet.</param>
/// <param name="receive">Hears the answers.</param>
/// <param name="log">Hears whether it answers.</param>
internal sealed class StoreLink(
    EtcdStore store, string prefix, VoterId self, AgentPolicy policy, Func<VoterId?> voter, Action<Envelope> receive, ILog log) : IDisposable
{
    private const int Waiting = 4;
    private const int Attempts = 3;

    private readonly Channel<Envelope> _queue = Channel.CreateBounded<Envelope>(new BoundedChannelOptions(Waiting) { FullMode = BoundedChannelFullMode.DropOldest });
    private readonly StoreHistory _history = new();
    private StoreView? _view;

    /// <summary>What was seen last may not be what lies there.</summary>
    private bool _isStale = true;

    private volatile Status _status = new(null, null);

    /// <summary>Of an agent.</summary>
    public static StoreLink Of(EtcdOptions options, string prefix, VoterId self, AgentPolicy policy, LoopLink loop, ILog log) => new(
        new EtcdStore(new EtcdClient(options, policy.Ttl / 6), prefix), prefix, self, policy, () => loop.State?.Known.Store,
        envelope => loop.Post(at => new Input.Received(at, envelope)), log);

    public void Dispose() => store.Dispose();

    /// <summary>Puts it on its way and returns.</summary>
    public void Send(Envelope envelope) => _queue.Writer.TryWrite(envelope);

    /// <summary>Lays down the first state of the store's voter. Null: it lies there; else why not.</summary>
    public Task<string?> CreateAsync(VoterId id, StoredVoter first, CancellationToken cancel) => store.CreateAsync(id, first, cancel);

    public StoreReport? Report()
    {
        if (voter() is not { } id)
            return null;
        Status now = _status;
        return new StoreReport("etcd", EtcdStore.KeyOf(prefix, id, ""), now.AnsweredAt is { } at ? BootClock.Now - at : null, now.Trouble ?? (now.AnsweredAt is null ? "it has not been asked yet" : null));
    }

    /// <summary>Looks every now and then also when there is nothing to say: a word that is seen to stand unchanged is over one day (R2).</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        Task<bool> waiting = _queue.Reader.WaitToReadAsync(cancel).AsTask();
        while (true)
        {
            await Task.WhenAny(waiting, Task.Delay(policy.RenewEvery, cancel));
            cancel.ThrowIfCancellationRequested();
            Envelope? next = null;
            if (waiting.IsCompleted)
            {
                _queue.Reader.TryRead(out next);
                waiting = _queue.Reader.WaitToReadAsync(cancel).AsTask();
            }

            if (voter() is not { } id)
                continue;
            if (next is null)
                await LookAsync(id, cancel);
            else
                await AskAsync(id, next, cancel);
            await LookBackAsync(id, cancel);
        }
    }

    private async Task LookBackAsync(VoterId id, CancellationToken cancel)
    {
        if (_view is { } view && _history.Due(view.PromiseRevision, BootClock.Now) is { } old && await store.KeepsAsync(id, old, cancel))
        {
            log.Warning(
                $"etcd does not compact its history: it still keeps what it held {StoreHistory.Longest.TotalHours:0} hours ago",
                "Each renewal of a lease adds to it, and an etcd whose quota is full takes no more of them.", "Start etcd with --auto-compaction-retention=1h.");
        }
    }

    private async Task AskAsync(VoterId id, Envelope envelope, CancellationToken cancel)
    {
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            // A renewal may go by what its own last one left; whoever asks for a vote has to look.
            if ((_isStale || envelope.Message is not Message.Renew) && !await LookAsync(id, cancel))
                return;
            StoreView view = _view!;
            StoreTurn turn = StoreVoter.Decide(id, view, policy, envelope, BootClock.Now);
            bool isTaken = turn.Next is null;
            if (!isTaken)
            {
                StoreOutcome outcome = await store.CommitAsync(id, view, turn, cancel);
                See(id, outcome);
                if (outcome is StoreOutcome.Unknown or StoreOutcome.Absent)
                    return;
                isTaken = outcome is StoreOutcome.Taken;
            }

            if (!isTaken)
                continue;
            foreach (Message answer in turn.Answers)
                receive(new Envelope(id, self.Node, answer));
            return;
        }
    }

    private async Task<bool> LookAsync(VoterId id, CancellationToken cancel)
    {
        See(id, await store.ReadAsync(id, cancel));
        return !_isStale;
    }

    private void See(VoterId id, StoreOutcome outcome)
    {
        TimeSpan now = BootClock.Now;
        switch (outcome)
        {
            case StoreOutcome.Taken { Content: { } content }:
                Keep(content, now);
                break;
            case StoreOutcome.Overtaken { Content: { } content }:
                Keep(content, now);
                break;
            case StoreOutcome.Absent:
                _isStale = true;
                Note(new Status(null, $"nothing lies at {EtcdStore.KeyOf(prefix, id, "state")} any more"));
                break;
            case StoreOutcome.Unknown { Why: var why }:
                _isStale = true;
                Note(_status with { Trouble = why });
                break;
        }
    }

    private void Keep(StoreContent content, TimeSpan now)
    {
        _view = StoreView.See(_view, content.Voter, content.StateRevision, content.PromiseRevision, now);
        _isStale = false;
        Note(new Status(now, null));
    }

    /// <summary>Says a change, not every exchange that fails.</summary>
    private void Note(Status status)
    {
        string? before = _status.Trouble;
        _status = status;
        if (status.Trouble is null && before is not null)
            log.Notice("etcd answers");
        else if (status.Trouble is not null && before is null)
            log.Warning($"etcd does not answer: {status.Trouble}", "Without it nobody is elected. With synchronous = off the primary is taken out of service when its lease ends.");
    }

    private sealed record Status(TimeSpan? AnsweredAt, string? Trouble);
}

using System.Globalization;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Engine.Files;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Failover;

/// <summary>Puts a synchronous set in force, and returns when every process of the server goes by it (R9).</summary>
internal sealed class SynchronousSteps(AgentNode node, SyncFlag flag)
{
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ShownWithin = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan FlagWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(5), BeforeAgain = TimeSpan.FromMilliseconds(250);

    /// <summary>What a server of this cluster starts with that is no holder: it names nobody, and a lost backend ends it instead of bringing it back (R5, R9).</summary>
    public static IReadOnlyDictionary<string, string?> OfStandbys { get; } = new Dictionary<string, string?>
    {
        ["synchronous_standby_names"] = StampedSet.NobodyNames,
        ["restart_after_crash"] = "off",
    };

    public async Task<StepOutcome> SetAsync(StampedSet set, CancellationToken cancel)
    {
        string? obstacle = await TryAsync(set, cancel);
        if (obstacle is null)
            return new StepOutcome.Done();
        await Task.Delay(BeforeAgain, cancel);
        return new StepOutcome.Failed(obstacle);
    }

    private async Task<string?> TryAsync(StampedSet set, CancellationToken cancel)
    {
        if (await FreshLook.TakeAsync(node.Connector, node.Conninfo, AnswerWithin, cancel) is not Answer<FreshLook>.Got { Value: var before })
            return "the server cannot be looked at";
        flag.See(before);
        AutoConf.Merge(node.DataDirectory, new Dictionary<string, string?>
        {
            ["synchronous_standby_names"] = set.Names,
            ["restart_after_crash"] = "off",
        });
        LocalServer.Reload(node.DataDirectory);
        (FreshLook? shown, string? why) = await AwaitAsync(look => look.Names == set.Names, ShownWithin, cancel);
        if (shown is null)
            return why ?? $"a new connection still shows synchronous_standby_names = '{before.Names}'";
        if (await EndSendersAsync(set, before.Names, cancel) is { } left)
            return left;
        if (set.Names.Length == 0 || flag.IsSet)
            return null;
        (FreshLook? flagged, _) = await AwaitAsync(_ => flag.IsSet, FlagWithin, cancel);
        return flagged is null ? "the checkpointer has not read the new value of synchronous_standby_names yet, so that commits may wait for nobody" : null;
    }

    private async Task<(FreshLook? Look, string? Why)> AwaitAsync(Func<FreshLook, bool> isReached, TimeSpan within, CancellationToken cancel)
    {
        TimeSpan began = BootClock.Now;
        string? why = null;
        while (BootClock.Now - began < within)
        {
            switch (await FreshLook.TakeAsync(node.Connector, node.Conninfo, AnswerWithin, cancel))
            {
                case Answer<FreshLook>.Got { Value: var look }:
                    flag.See(look);
                    if (isReached(look))
                        return (look, null);
                    why = look.Source == "configuration file" ? null : $"synchronous_standby_names is set by {look.Source}, over postgresql.auto.conf";
                    break;
                case Answer<FreshLook>.Failed failed:
                    why = failed.Reason;
                    break;
            }

            await Task.Delay(Tick, cancel);
        }

        return (null, why);
    }

    /// <summary>
    /// A WAL sender releases commits by the value that it has read itself, when that names it. Those of an older stamp are ended, and where somebody else had named others,
    /// all: what connects anew was forked with the new value.
    /// </summary>
    private async Task<string?> EndSendersAsync(StampedSet set, string before, CancellationToken cancel)
    {
        ConnectResult connected = await node.Connector.OpenAsync(node.Conninfo, AnswerWithin, cancel);
        if (connected is not ConnectResult.Opened opened)
            return $"the server cannot be reached: {connected.Failure}";
        await using PostgresSession session = opened.Session;
        bool isForeign = before.Length > 0 && before != set.Names && before != StampedSet.NobodyNames && !before.Contains('@', StringComparison.Ordinal);
        TimeSpan began = BootClock.Now;
        int[]? old = null;
        while (true)
        {
            Answer<IReadOnlyList<(int Pid, string Name)>> answer = await session.QueryAsync(
                "SELECT pid, application_name FROM pg_catalog.pg_stat_replication WHERE state <> 'backup'", row => (row.GetInt32(0), row.GetString(1)), AnswerWithin, cancel);
            if (answer is not Answer<IReadOnlyList<(int Pid, string Name)>>.Got { Value: var senders })
                return (answer as Answer<IReadOnlyList<(int Pid, string Name)>>.Failed)?.Reason;
            old ??= [.. senders.Where(sender => isForeign || (StampedSet.Read(sender.Name) is { } named && named.Stamp != set.Stamp)).Select(sender => sender.Pid)];
            int[] left = [.. old.Where(pid => senders.Any(sender => sender.Pid == pid))];
            if (left.Length == 0)
                return null;
            if (BootClock.Now - began >= AnswerWithin)
                return string.Create(CultureInfo.InvariantCulture, $"WAL sender {left[0]} does not end, and may acknowledge by the former value of synchronous_standby_names");
            foreach (int pid in left)
                _ = ProcessSweep.Send(pid, ProcessSweep.SigTerm);
            await Task.Delay(Tick, cancel);
        }
    }
}

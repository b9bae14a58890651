using Repmgr.Core.Failover;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Logging;

namespace Repmgr.Engine.Failover;

/// <summary>Takes the server out of service (R3).</summary>
/// <param name="node">The node.</param>
/// <param name="eyes">How far its WAL was seen to go.</param>
/// <param name="hooks">The operator's commands.</param>
/// <param name="log">Hears what does not end.</param>
internal sealed class ServerFence(AgentNode node, ServerEyes eyes, AgentHooks hooks, ILog log)
{
    // A lease that is not renewed any more lasts a little longer than this.
    private static readonly TimeSpan OrderlyWithin = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan KillWithin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan QuitWithin = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(2);

    /// <summary>Immediate shutdown, then SIGKILL, until no process is left (R3).</summary>
    /// <param name="isOrderly">A fast shutdown comes first: it sends the standbys all there is. What it takes too long for, the others do.</param>
    /// <param name="cancel">The step is overtaken.</param>
    public async Task<StepOutcome> FenceAsync(bool isOrderly, CancellationToken cancel)
    {
        TimeSpan began = BootClock.Now;
        int postmaster = ProcessSweep.Postmaster(node.Canonical);
        if (isOrderly && LocalServer.Look(node.DataDirectory) is LocalServerState.Running)
        {
            _ = ProcessSweep.Send(postmaster, ProcessSweep.SigInt);
            while (LocalServer.Look(node.DataDirectory) is LocalServerState.Running && BootClock.Now - began < OrderlyWithin)
                await Task.Delay(Tick, cancel);
            began = BootClock.Now;
        }

        if (LocalServer.Look(node.DataDirectory) is LocalServerState.Running)
            _ = ProcessSweep.Send(postmaster, ProcessSweep.SigQuit);
        while (ProcessSweep.Signal(node.Canonical, 0, 0) > 0 && BootClock.Now - began < QuitWithin && LocalServer.Look(node.DataDirectory) is LocalServerState.Running)
            await Task.Delay(Tick, cancel);
        if (!await SweepAsync(postmaster, cancel))
            return new StepOutcome.Stopped(null);
        Secure();
        return new StepOutcome.Stopped(await WalOnDisk.EndAsync(node.DataDirectory, eyes.Flushed, node.Binaries, cancel));
    }

    /// <summary>SIGKILL until nothing is left that may do anything. For what does not go there is the operator's command, once.</summary>
    /// <returns>False: processes are left that were killed and wait in the kernel, usually for a disk, which is not to be touched then.</returns>
    private async Task<bool> SweepAsync(int postmaster, CancellationToken cancel)
    {
        TimeSpan began = BootClock.Now;
        bool asked = false;
        while (ProcessSweep.Signal(node.Canonical, ProcessSweep.SigKill, postmaster) != 0)
        {
            if (!asked && BootClock.Now - began >= KillWithin)
            {
                asked = true;
                log.Error("processes of the server do not end, though they were killed");
                if (await hooks.FenceAsync(cancel))
                    return true;
            }

            await Task.Delay(Tick, cancel);
        }

        if (!await AreLeftAsync(cancel))
            return true;
        log.Error(
            "processes of the server were killed, and wait in the kernel, usually for a disk",
            "They execute nothing more, so that the server is out of service. It is not started before they are gone.");
        if (!asked)
            hooks.BeginFence();
        return false;
    }

    /// <summary>What was killed takes a moment to be gone, when nothing holds it up.</summary>
    private async Task<bool> AreLeftAsync(CancellationToken cancel)
    {
        TimeSpan began = BootClock.Now;
        while (ProcessSweep.Left(node.Canonical) != 0)
        {
            if (BootClock.Now - began >= QuitWithin)
                return true;
            await Task.Delay(Tick, cancel);
        }

        return false;
    }

    // A disk that takes nothing any more leaves the line there that keeps the server from being started: the safer of the two.
    private void Secure()
    {
        try
        {
            SafeBoot.Open(node.DataDirectory);
        }
        catch (IOException failed)
        {
            log.Error("standby.signal could not be put in place", failed.Message, "Do not start this server by hand: it might come up as a primary.");
        }
    }
}

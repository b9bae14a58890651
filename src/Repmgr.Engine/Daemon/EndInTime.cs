using System.Globalization;
using Repmgr.Engine.Logging;

namespace Repmgr.Engine.Daemon;

/// <summary>Sees to it that a process that was told to end does: whatever a server, a network or a library holds up is left behind, and named.</summary>
/// <param name="within">How long it may take. Whoever stops services waits longer: systemd 90 s (TimeoutStopSec), a person less.</param>
/// <param name="exit">Ends the process at once.</param>
/// <param name="log">Hears what it waited for.</param>
public sealed class EndInTime(TimeSpan within, Action exit, ILog log) : IDisposable
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(10);

    private readonly ManualResetEventSlim _isOver = new();
    private readonly TaskCompletionSource _decided = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _begun;

    /// <summary>For the process whose signals these are.</summary>
    public static EndInTime Of(Mailbox mailbox, Log log)
    {
        ArgumentNullException.ThrowIfNull(mailbox);
        ArgumentNullException.ThrowIfNull(log);
        var end = new EndInTime(
            Within,
            () =>
            {
                // What is still to be written says what the process waited for.
                log.Dispose();
                Native.ExitAtOnce(0);
            },
            log);
        mailbox.OnStop = end.Begin;
        return end;
    }

    /// <summary>What the end waits for, as a clause.</summary>
    public string Stage { private get; set; } = "the watch ends";

    /// <summary>Ends when the process has ended in time, or was ended.</summary>
    internal Task Decided => _decided.Task;

    /// <summary>The process was told to end. The time is taken by a thread of its own: what hangs may be the pool's.</summary>
    public void Begin()
    {
        if (Interlocked.Exchange(ref _begun, 1) == 0)
            new Thread(Wait) { IsBackground = true, Name = "end" }.Start();
    }

    /// <summary>It is over.</summary>
    public void Dispose() => _isOver.Set();

    private void Wait()
    {
        if (!_isOver.Wait(within))
        {
            log.Warning(
                "repmgrd ends without what it waits for",
                string.Create(CultureInfo.InvariantCulture, $"{within.TotalSeconds:0.#} s after it was told to end, it still waits until {Stage}."));
            exit();
        }

        _decided.SetResult();
    }
}

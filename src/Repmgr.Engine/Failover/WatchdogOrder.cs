using System.Globalization;
using System.Runtime.InteropServices;
using Repmgr.Core.Failover;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;

namespace Repmgr.Engine.Failover;

/// <summary>The watchdog that a guard is to have.</summary>
/// <param name="Path">Of the device.</param>
/// <param name="Fires">How long after it was fed last the host is to be reset: whole seconds, which is what a driver takes.</param>
/// <param name="Budget">How long before the end of the lease the guard fences.</param>
internal sealed record WatchdogOrder(string Path, TimeSpan Fires, TimeSpan Budget)
{
    private const char Between = ':';

    /// <summary>As the guard's program is given it.</summary>
    public string Argument => string.Create(CultureInfo.InvariantCulture, $"{Fires.Ticks}{Between}{Budget.Ticks}{Between}{Path}");

    /// <summary>
    /// The longest time by which the host is reset before the lease ends though the guard was fed at each renewal only: what a lease lasts, less the way to the next renewal.
    /// </summary>
    public static (WatchdogOrder? Order, Problem? Problem) For(Settings settings, AgentPolicy policy)
    {
        if (settings.WatchdogDevice is not { } path)
            return (null, null);
        TimeSpan most = policy.Ttl - policy.DriftMargin - policy.RenewEvery;
        return most >= TimeSpan.FromSeconds(1)
            ? (new WatchdogOrder(path, TimeSpan.FromSeconds(Math.Floor(most.TotalSeconds)), policy.FenceBudget), null)
            : (null, new Problem(
                "watchdog_device is not used: lease_ttl leaves no room for it",
                string.Create(CultureInfo.InvariantCulture, $"A watchdog counts whole seconds, and has to reset the host before a lease ends that was renewed {policy.RenewEvery.TotalSeconds:0.###} s ago: within {most.TotalSeconds:0.###} s."),
                "Raise lease_ttl, to 2 s at least."));
    }

    public static WatchdogOrder? Read(string argument) =>
        argument.Split(Between, 3) is [var fires, var budget, var path]
        && long.TryParse(fires, NumberStyles.None, CultureInfo.InvariantCulture, out long firesTicks) && long.TryParse(budget, NumberStyles.None, CultureInfo.InvariantCulture, out long budgetTicks)
            ? new WatchdogOrder(path, new TimeSpan(firesTicks), new TimeSpan(budgetTicks))
            : null;

    /// <summary>By which a guard says what it was begun with (FNV-1a); 0: with none.</summary>
    public static long TagOf(string? argument)
    {
        if (argument is null)
            return 0;
        ulong hash = 14695981039346656037;
        foreach (char letter in argument)
            hash = (hash ^ letter) * 1099511628211;
        return (long)hash;
    }

    public WatchdogDevice Device() => new(Path, Fires.Ticks * TimeSpan.NanosecondsPerTick, Budget.Ticks * TimeSpan.NanosecondsPerTick);

    /// <summary>Why it cannot be used, and what to do.</summary>
    public Problem Unusable(long state) => new(
        $"watchdog_device \"{Path}\" cannot be used: {WatchdogState.Why(state, Fires)}",
        "Without it an agent and its guard that are frozen together take no server out of service.",
        WatchdogState.ErrorOf(state) switch
        {
            WatchdogState.NoSuchFile => "Load the driver of the host's watchdog, or \"modprobe softdog\" where it has none.",
            WatchdogState.NoPermission => "Let the user that repmgrd runs as write to it, for instance by a udev rule: KERNEL==\"watchdog\", OWNER=\"postgres\", MODE=\"0600\".",
            WatchdogState.IsBusy => "Another program has it open: systemd with RuntimeWatchdogSec, for instance. A host may have several: watchdog0, watchdog1.",
            _ => null,
        });
}

/// <summary>What a guard knows of its watchdog, as it echoes it: one number.</summary>
/// <remarks>Above zero: nanoseconds until the host is reset. Zero: it is fed, and nobody says how long it waits. Below: why there is none.</remarks>
internal static class WatchdogState
{
    public const int NoSuchFile = 2, NoPermission = 13, IsBusy = 16;

    public const long None = -1, NoDevice = -2, NoTimeout = -3;

    /// <summary>Further down: the error of the system, or the seconds that the device waits where that is too long.</summary>
    private const long Errors = -1000, TooLong = -1_000_000;

    public static long Failed(int error) => Errors - error;

    public static long WaitsTooLong(int seconds) => TooLong - seconds;

    /// <summary>Why the watchdog protects nothing, as a clause; null: it does.</summary>
    public static string? Why(long state, TimeSpan wanted) => state switch
    {
        >= 0 => null,
        None => "the guard has none",
        NoDevice => "it is neither a device nor a FIFO",
        NoTimeout => "it does not say how long it waits, and cannot be told",
        <= TooLong => string.Create(CultureInfo.InvariantCulture, $"it resets the host after {TooLong - state} s, and has to within {wanted.TotalSeconds} s, before the lease ends"),
        _ => Marshal.GetPInvokeErrorMessage(ErrorOf(state)),
    };

    /// <summary>The error of the system; 0: it is none.</summary>
    public static int ErrorOf(long state) => state is <= Errors and > TooLong ? (int)(Errors - state) : 0;
}

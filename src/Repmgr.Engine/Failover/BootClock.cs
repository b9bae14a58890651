using System.Runtime.InteropServices;

namespace Repmgr.Engine.Failover;

/// <summary>
/// The clock that leases are counted on: <c>CLOCK_BOOTTIME</c>, which goes on while the machine is suspended. <c>Stopwatch</c> does not.
/// </summary>
/// <remarks>https://man7.org/linux/man-pages/man2/clock_gettime.2.html</remarks>
public static partial class BootClock
{
    internal const int Number = 7;

    public static TimeSpan Now => new(Nanoseconds / TimeSpan.NanosecondsPerTick);

    internal static long Nanoseconds
    {
        get
        {
            _ = GetTime(Number, out TimeSpec time);
            return (time.Seconds * 1_000_000_000) + time.Nanoseconds;
        }
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    internal struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}

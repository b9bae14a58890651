using System.Globalization;

namespace Repmgr.Engine.Failover;

/// <summary>
/// A process that was sent SIGKILL and waits in the kernel, for a disk that hangs usually. It is there, and executes nothing of its own any more: its server is out of
/// service, though it cannot be started again, since the process still holds its shared memory (R3, [26]).
/// </summary>
/// <remarks>https://man7.org/linux/man-pages/man5/proc_pid_status.5.html: the masks are hexadecimal, bit 0 is signal 1.</remarks>
internal static class DyingProcess
{
    private const ulong Kill = 1UL << (ProcessSweep.SigKill - 1);

    /// <summary>All processes that are left of the server are such.</summary>
    /// <param name="directory">From <see cref="ProcessSweep.Canonical"/>.</param>
    public static bool AreAll(byte[] directory)
    {
        try
        {
            return Directory.EnumerateDirectories("/proc")
                .Select(path => int.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out int pid) ? pid : 0)
                .Where(pid => pid > 0 && ProcessSweep.IsOfServer(pid, directory))
                .All(pid => Is(File.ReadAllLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/status"))));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // One has just ended: the next look finds one less.
            return false;
        }
    }

    /// <summary>Reads <c>/proc/PID/status</c>.</summary>
    public static bool Is(IReadOnlyList<string> status) =>
        Value(status, "State:").StartsWith('D') && ((Mask(status, "SigPnd:") | Mask(status, "ShdPnd:")) & Kill) != 0;

    private static ulong Mask(IReadOnlyList<string> status, string name) =>
        ulong.TryParse(Value(status, name), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong bits) ? bits : 0;

    private static string Value(IReadOnlyList<string> status, string name) =>
        status.FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?[name.Length..].Trim() ?? "";
}

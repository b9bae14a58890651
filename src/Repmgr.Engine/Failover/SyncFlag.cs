using System.Globalization;
using Repmgr.Engine.Hosts;

namespace Repmgr.Engine.Failover;

/// <summary>
/// Whether commits wait for standbys at all. Backends do so only once the <em>checkpointer</em> has read that <c>synchronous_standby_names</c> is no longer empty;
/// until then a fresh session shows the new value, and its commit returns at once (R9, docs/adr/0099).
/// </summary>
/// <remarks>
/// SyncRepUpdateSyncStandbysDefined in src/backend/replication/syncrep.c: the checkpointer runs it when it starts, and after it was told to read the configuration again.
/// </remarks>
internal sealed class SyncFlag(string dataDirectory)
{
    // As /proc/pid/status has it: bit 0 is signal 1. https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
    private const ulong Hangup = 1;

    private int _setIn;

    /// <summary>This server was seen to let commits wait, and its setting has not been empty since.</summary>
    public bool IsSet => Postmaster is { } postmaster && postmaster == _setIn;

    /// <summary>Takes a look of a new connection into account.</summary>
    public void See(FreshLook look)
    {
        if (look.Names.Length == 0)
            _setIn = 0;
        else if (!IsSet && look.Checkpointer is { } checkpointer && HasRead(checkpointer.Pid, checkpointer.Wait))
            _setIn = Postmaster ?? 0;
    }

    private int? Postmaster => LocalServer.Look(dataDirectory) is LocalServerState.Running running ? running.File.Pid : null;

    /// <summary>
    /// The postmaster tells its children to read the configuration before it forks a process that shows the new value. So the signal was sent: if it is not pending any
    /// more, and the checkpointer sleeps where it never sleeps with something left to be read, it has read it.
    /// </summary>
    private static bool HasRead(int checkpointer, string? wait)
    {
        if (wait is not ("CheckpointerMain" or "CheckpointWriteDelay"))
            return false;
        try
        {
            string[] status = File.ReadAllLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{checkpointer}/status"));
            return Value(status, "State:").StartsWith('S') && ((Bits(status, "ShdPnd:") | Bits(status, "SigPnd:")) & Hangup) == 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static ulong Bits(string[] status, string name) =>
        ulong.TryParse(Value(status, name), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong bits) ? bits : ulong.MaxValue;

    private static string Value(string[] status, string name) =>
        status.FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?[name.Length..].Trim() ?? "";
}

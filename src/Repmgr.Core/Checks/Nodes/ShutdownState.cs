using Repmgr.Core.Postgres;

namespace Repmgr.Core.Checks.Nodes;

/// <summary>Whether a server has stopped, and how: what <c>node status --is-shutdown-cleanly</c> answers.</summary>
/// <param name="Word">As repmgr 5 calls it.</param>
/// <param name="LastCheckpoint">Of one that has stopped in good order: where its last checkpoint stands.</param>
public sealed record ShutdownState(string Word, Lsn? LastCheckpoint = null)
{
    public static readonly ShutdownState Unknown = new("UNKNOWN");

    /// <param name="running">What the first process of the server says of itself; null: there is none.</param>
    /// <param name="control">The control file; null: it could not be read.</param>
    /// <remarks>The control file says "shut down" before the process has ended, and "in production" after a crash: the process decides.</remarks>
    public static ShutdownState Of(PostmasterStatus? running, ControlData? control) => (running, control) switch
    {
        (PostmasterStatus.Stopping, _) => new ShutdownState("SHUTTING_DOWN"),
        (not null, _) => new ShutdownState("UP"),
        (null, null) => Unknown,
        (null, { IsShutDownCleanly: true }) => new ShutdownState("SHUTDOWN", control.Checkpoint),
        _ => new ShutdownState("UNCLEAN_SHUTDOWN"),
    };

    /// <summary>For the program that asks: <c>--state=SHUTDOWN --last-checkpoint-lsn=0/3000028</c>.</summary>
    public string Line => LastCheckpoint is { } lsn ? $"--state={Word} --last-checkpoint-lsn={lsn}" : $"--state={Word}";
}

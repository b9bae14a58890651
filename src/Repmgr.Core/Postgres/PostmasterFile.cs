using System.Globalization;

namespace Repmgr.Core.Postgres;

/// <summary>What a server said of itself in <c>postmaster.pid</c>.</summary>
public enum PostmasterStatus
{
    /// <summary>Nothing yet, or a word this version does not know.</summary>
    Unknown,

    Starting,

    Stopping,

    /// <summary>Accepts connections.</summary>
    Ready,

    /// <summary>In recovery without accepting connections (<c>hot_standby = off</c>).</summary>
    Standby,
}

/// <summary>The file <c>postmaster.pid</c> in a data directory. Its being there does not prove that the server runs.</summary>
/// <param name="Pid">The postmaster's process id; 0 when the file holds that of a standalone backend (then negative in the file).</param>
/// <param name="DataDirectory">The directory as the server was given it.</param>
/// <param name="StartedAt">When it started.</param>
/// <param name="Port">The TCP port, also part of the socket's name; null when the server has not got so far.</param>
/// <param name="SocketDirectory">The first socket directory; null when there is none.</param>
/// <param name="ListenAddress">The first listen address; null when it does not listen on TCP. <c>*</c> for all.</param>
/// <param name="Status">What it is doing.</param>
/// <remarks>Lines: src/include/utils/pidfile.h.</remarks>
public sealed record PostmasterFile(
    int Pid,
    string DataDirectory,
    DateTimeOffset StartedAt,
    int? Port,
    string? SocketDirectory,
    string? ListenAddress,
    PostmasterStatus Status)
{
    public const string FileName = "postmaster.pid";

    /// <summary>The server has ended its start-up: it is as far as it will come by itself.</summary>
    public bool IsUp => Status is PostmasterStatus.Ready or PostmasterStatus.Standby;

    /// <summary>Reads the file; null when it is not (or not yet) one.</summary>
    public static PostmasterFile? Parse(string text)
    {
        string[] lines = text.Split('\n');
        if (lines.Length < 3
            || !int.TryParse(lines[0].Trim(), CultureInfo.InvariantCulture, out int pid)
            || !long.TryParse(lines[2].Trim(), CultureInfo.InvariantCulture, out long started))
            return null;

        return new PostmasterFile(
            Math.Max(pid, 0),
            lines[1].Trim(),
            DateTimeOffset.FromUnixTimeSeconds(started),
            int.TryParse(Line(3), CultureInfo.InvariantCulture, out int port) && port > 0 ? port : null,
            Line(4),
            Line(5),
            Line(7) switch
            {
                "starting" => PostmasterStatus.Starting,
                "stopping" => PostmasterStatus.Stopping,
                "ready" => PostmasterStatus.Ready,
                "standby" => PostmasterStatus.Standby,
                _ => PostmasterStatus.Unknown,
            });

        string? Line(int index) => index < lines.Length && lines[index].Trim() is { Length: > 0 } line ? line : null;
    }
}

using System.Diagnostics;
using Repmgr.Core.Problems;

namespace Repmgr.Engine.Daemon;

/// <summary>Running in the background.</summary>
/// <remarks>
/// A process with threads cannot fork and go on, so the program starts itself once more. The child leaves the session, says
/// on its standard output that it has started, and only then lets go of the terminal: what is wrong at start is still said
/// to whoever started it, and makes the exit code.
/// </remarks>
public static class Detached
{
    private const string Mark = "REPMGRD_DETACHED";
    private const string Started = "started";

    /// <summary>This process is the one that was started to run in the background.</summary>
    public static bool IsChild => Environment.GetEnvironmentVariable(Mark) is not null;

    /// <summary>Starts this program again with the same arguments, and waits until it says that it runs, or ends.</summary>
    /// <returns>0 when it runs; otherwise what it ended with.</returns>
    public static async Task<int> StartAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancel)
    {
        using var child = new Process { StartInfo = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, UseShellExecute = false } };
        child.StartInfo.Environment[Mark] = "1";
        child.Start();
        while (await child.StandardOutput.ReadLineAsync(cancel) is { } line)
        {
            if (line == Started)
                return (int)ExitCode.Success;
        }

        await child.WaitForExitAsync(cancel);
        return child.ExitCode;
    }

    /// <summary>In the child, first of all: leaves the session of the terminal.</summary>
    public static void Leave()
    {
        Native.NewSession();
        // What this process starts itself (hooks) is no detached daemon.
        Environment.SetEnvironmentVariable(Mark, null);
    }

    /// <summary>In the child, when it runs: tells the parent, and lets go of its terminal.</summary>
    /// <param name="keepStandardError">Standard error is the log. It is kept only when it is a file: a terminal or pipe would be held open.</param>
    /// <returns>Whether standard error was kept.</returns>
    public static bool Announce(bool keepStandardError)
    {
        Console.Out.WriteLine(Started);
        Console.Out.Flush();
        bool kept = keepStandardError && IsRegularFile(2);
        Native.DetachStandardStreams(kept);
        return kept;
    }

    // The kernel names a pipe "pipe:[1234]" and a terminal "/dev/pts/0".
    private static bool IsRegularFile(int descriptor) =>
        File.ResolveLinkTarget($"/proc/self/fd/{descriptor}", returnFinalTarget: false)?.FullName is { } target
        && !target.StartsWith("/dev/", StringComparison.Ordinal)
        && File.Exists(target);
}

using Repmgr.Core.Problems;

namespace Repmgr.Engine.Processes;

/// <summary>
/// Keeps a command from calling itself for ever: with repmgr in service_promote_command, say, each promotion would start
/// another. The programs that repmgr starts inherit the name of the command that started them.
/// </summary>
public static class CallGuard
{
    /// <summary>Holds the commands that are running, those that started others first.</summary>
    public const string Variable = "REPMGR_RUNNING";

    /// <summary>Marks the command as running; or says that it is called from within itself.</summary>
    public static Problem? Enter(string words)
    {
        string[] running = Environment.GetEnvironmentVariable(Variable)?.Split(',') ?? [];
        if (running.Contains(words))
        {
            return new Problem(
                $"\"repmgr {words}\" has called itself",
                $"The environment variable {Variable}, which repmgr sets for the programs it starts, holds \"{string.Join(',', running)}\".",
                "Look for repmgr in the service_..._command and event_notification_command settings: they must start, stop or promote the server themselves.");
        }

        Environment.SetEnvironmentVariable(Variable, string.Join(',', [.. running, words]));
        return null;
    }
}

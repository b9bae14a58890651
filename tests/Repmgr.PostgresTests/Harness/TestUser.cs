using CliWrap;
using CliWrap.Buffered;

namespace Repmgr.PostgresTests.Harness;

/// <summary>PostgreSQL refuses to run as root, so a suite started by root runs it as <c>postgres</c>; any other user runs it as themselves.</summary>
public static class TestUser
{
    public static bool IsRoot { get; } = Environment.IsPrivilegedProcess;

    /// <summary>The operating-system user the servers belong to.</summary>
    public static string Name { get; } = IsRoot ? "postgres" : Environment.UserName;

    /// <summary>Accounts that exist only on a <see cref="TestHost"/>, where the original's second walkthrough needs them.</summary>
    internal static IReadOnlyDictionary<string, int> OnHosts { get; } = new Dictionary<string, int> { ["prime"] = 20001, ["standby"] = 20002 };

    /// <summary>What stands before a command line to run it as that user.</summary>
    internal static string[] Prefix(string? user) =>
        user is null || !IsRoot || user == "root" ? [] : ["setpriv", $"--reuid={user}", $"--regid={user}", "--init-groups"];

    /// <summary>Hands a file or a tree to a user.</summary>
    internal static async Task GiveAsync(string path, string user)
    {
        if (!IsRoot)
            return;
        string owner = OnHosts.TryGetValue(user, out int uid) ? $"{uid}:{uid}" : $"{user}:";
        await Cli.Wrap("chown").WithArguments(["-R", owner, path]).ExecuteBufferedAsync();
    }
}

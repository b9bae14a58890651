using System.Globalization;
using System.Text;

namespace Repmgr.Engine.Daemon;

/// <summary>The repmgrd of a node on this machine: the process that was started with its configuration file.</summary>
public static class LocalDaemon
{
    private const string Guard = "repmgrd-guard";

    /// <summary>Its process ID; null: none runs.</summary>
    /// <param name="configFile">Of the node.</param>
    public static int? Find(string configFile)
    {
        string wanted = Path.GetFullPath(configFile);
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out int pid) && pid != Environment.ProcessId && IsIt(directory, wanted))
                return pid;
        }

        return null;
    }

    /// <summary>Tells it to end. False: this user may not.</summary>
    public static bool Terminate(int pid) => Failover.ProcessSweep.Send(pid, Failover.ProcessSweep.SigTerm);

    private static bool IsIt(string process, string wanted)
    {
        try
        {
            string[] arguments = Encoding.UTF8.GetString(File.ReadAllBytes(Path.Combine(process, "cmdline"))).Split('\0', StringSplitOptions.RemoveEmptyEntries);
            if (arguments is not [var program, ..] || Path.GetFileName(program) != "repmgrd" || File.ReadAllText(Path.Combine(process, "comm")).Trim() == Guard)
                return false;
            // Of a process of another user its directory cannot be read: a relative path is then taken as it is.
            string? file = ConfigFile(arguments);
            return file is null
                ? wanted is "/etc/repmgr.conf" or "/etc/repmgr/repmgr.conf"
                : Path.GetFullPath(file, Path.IsPathRooted(file) ? "/" : File.ResolveLinkTarget(Path.Combine(process, "cwd"), returnFinalTarget: false)?.FullName ?? "/") == wanted;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string? ConfigFile(string[] arguments)
    {
        for (int index = 1; index < arguments.Length; index++)
        {
            string argument = arguments[index];
            if (argument is "-f" or "--config-file")
                return arguments.ElementAtOrDefault(index + 1);
            if (argument.StartsWith("--config-file=", StringComparison.Ordinal))
                return argument["--config-file=".Length..];
            if (argument.StartsWith("-f", StringComparison.Ordinal))
                return argument[2..];
        }

        return null;
    }
}

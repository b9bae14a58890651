using System.Globalization;
using Repmgr.Core.Cloning;
using Repmgr.Engine.Processes;

namespace Repmgr.Engine.Cloning;

/// <summary>Asks the server program what a configuration directory gives, without starting a server.</summary>
/// <remarks>https://www.postgresql.org/docs/current/app-postgres.html (<c>-C</c>)</remarks>
internal static class ConfigurationLook
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(10);

    public static async Task<LocalConfiguration> LookAsync(
        string binDirectory, string configDirectory, IEnumerable<string> names, CancellationToken cancel)
    {
        var settings = new Dictionary<string, int>();
        foreach (string name in names)
        {
            ProgramResult result = await ExternalProgram.RunAsync(
                Path.Combine(binDirectory, "postgres"), ["-D", configDirectory, "-C", name], ProgramEnvironment.PlainMessages, Within, cancel).ConfigureAwait(false);
            if (result is ProgramResult.Ended { ExitCode: 0 } ended && int.TryParse(ended.Output.Trim(), CultureInfo.InvariantCulture, out int value))
                settings[name] = value;
        }

        return new LocalConfiguration(configDirectory, settings);
    }
}

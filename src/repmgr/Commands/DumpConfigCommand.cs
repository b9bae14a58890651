using System.Text.Json.Serialization;
using Repmgr.Cli.Output;
using Repmgr.Core.Hosts;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Files;
using Repmgr.Engine.Hosts;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr --dump-config</c></summary>
internal sealed class DumpConfigCommand : ICommand
{
    public async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancel)
    {
        if (!context.TryReadSettings(out SettingsLoad.Loaded? loaded))
            return ExitCode.BadConfig;

        LocalHostLook look = await LocalHost.LookAsync(loaded.Settings, server: null, cancel);
        Dictionary<string, Detected<string>.Found> found = new(look.Found);
        if (loaded.Settings.NodeId is { } id)
            found["node_name"] = HostDetection.NodeName(loaded.Settings.NodeName, id, registered: null, applicationName: null);
        return Show(context, new ConfigDump(loaded.Path, SettingDump.Of(loaded.Settings, loaded.Places, found), look.Unclear));
    }

    private static ExitCode Show(CommandContext context, ConfigDump dump)
    {
        if (context.Options.Json)
        {
            context.Output.Json(dump, DumpConfigJson.Default.ConfigDump);
            return ExitCode.Success;
        }

        if (context.Options.Csv)
        {
            foreach (SettingDump setting in dump.Settings)
                context.Output.Csv(setting.Name, setting.Value ?? "", setting.Default ?? "", setting.Source);
            return ExitCode.Success;
        }

        var table = new TextTable("Name", "Value", "Default", "From");
        foreach (SettingDump setting in dump.Settings)
            table.Add(setting.Name, setting.Value ?? "", setting.Default ?? "", setting.Source);
        context.Output.Line(dump.File is { } path ? $"configuration file: {path}" : "configuration file: none was found");
        context.Output.Line("");
        context.Output.Table(table);
        foreach (Problem unclear in dump.Unclear)
            context.Output.Line($"\nunclear: {unclear.Message}\n  {unclear.Detail}\n  {unclear.Hint}");
        return ExitCode.Success;
    }
}

/// <param name="File">Null when there is none.</param>
/// <param name="Settings">Every setting.</param>
/// <param name="Unclear">What is not set and was looked for in vain.</param>
internal sealed record ConfigDump(string? File, IReadOnlyList<SettingDump> Settings, IReadOnlyList<Problem> Unclear);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ConfigDump))]
internal sealed partial class DumpConfigJson : JsonSerializerContext;

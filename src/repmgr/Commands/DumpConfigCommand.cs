using System.Text.Json.Serialization;
using Repmgr.Cli.Output;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Files;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr --dump-config</c></summary>
internal sealed class DumpConfigCommand : ICommand
{
    public Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancel) =>
        Task.FromResult(context.TryReadSettings(out SettingsLoad.Loaded? loaded) ? Show(context, loaded) : ExitCode.BadConfig);

    private static ExitCode Show(CommandContext context, SettingsLoad.Loaded loaded)
    {
        IReadOnlyList<SettingDump> settings = SettingDump.Of(loaded.Settings, loaded.Places);
        if (context.Options.Json)
        {
            context.Output.Json(new ConfigDump(loaded.Path, settings), DumpConfigJson.Default.ConfigDump);
            return ExitCode.Success;
        }

        if (context.Options.Csv)
        {
            foreach (SettingDump setting in settings)
                context.Output.Csv(setting.Name, setting.Value ?? "", setting.Default ?? "", setting.Source);
            return ExitCode.Success;
        }

        var table = new TextTable("Name", "Value", "Default", "Set in");
        foreach (SettingDump setting in settings)
            table.Add(setting.Name, setting.Value ?? "", setting.Default ?? "", setting.Source);
        context.Output.Line(loaded.Path is { } path ? $"configuration file: {path}" : "configuration file: none was found");
        context.Output.Line("");
        context.Output.Table(table);
        return ExitCode.Success;
    }
}

/// <param name="File">Null when there is none.</param>
/// <param name="Settings">Every setting.</param>
internal sealed record ConfigDump(string? File, IReadOnlyList<SettingDump> Settings);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ConfigDump))]
internal sealed partial class DumpConfigJson : JsonSerializerContext;

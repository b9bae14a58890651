namespace Repmgr.Core.CommandLine;

internal static class DumpConfigCommand
{
    public static readonly CommandDefinition Definition = new(CommandName.DumpConfig, "", "show every setting, its default and where it came from")
    {
        Changes = false,
        Options = [Opt.DumpConfig, Opt.Json, Opt.Csv],
    };
}

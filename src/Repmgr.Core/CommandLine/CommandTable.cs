namespace Repmgr.Core.CommandLine;

/// <summary>A program's commands and the options that all of them take.</summary>
/// <param name="Program">The name it is called by.</param>
/// <param name="Commands">Its commands; one without words for a program that has no verbs.</param>
/// <param name="Common">Options that every command takes.</param>
public sealed record CommandTable(string Program, IReadOnlyList<CommandDefinition> Commands, IReadOnlyList<OptionDefinition> Common)
{
    public static CommandTable Repmgr { get; } = new(
        "repmgr",
        [.. PrimaryCommands.All, .. StandbyCommands.All, SwitchoverCommand.Definition, .. WitnessCommands.All, .. ClusterCommands.All, .. MatrixCommands.All, .. ServiceCommands.All, .. NodeCommands.All, .. NodeActionCommands.All, VerifyCommand.Definition, RejoinCommand.Definition, DumpConfigCommand.Definition, .. LaterCommands.All],
        [Opt.ConfigFile, Opt.PgBindir, Opt.LogLevel, Opt.LogToFile, Opt.Quiet, Opt.Terse, Opt.Verbose, Opt.Help, Opt.Version, Opt.VersionNumber]);

    public static CommandTable Repmgrd { get; } = new(
        "repmgrd",
        [DaemonCommand.Definition],
        [Opt.ConfigFile, Opt.PgBindir, Opt.LogLevel, Opt.Verbose, Opt.Help, Opt.Version, Opt.VersionNumber]);

    /// <summary>Other ways to write the first word, and a whole command, in lower case.</summary>
    public static IReadOnlyDictionary<string, string> Aliases { get; } = new Dictionary<string, string>
    {
        ["master"] = "primary",
        ["cluster events"] = "cluster event",
        ["primary status"] = "node status",
        ["primary check"] = "node check",
        ["standby status"] = "node status",
        ["standby check"] = "node check",
        ["daemon status"] = "service status",
        ["daemon pause"] = "service pause",
        ["daemon unpause"] = "service unpause",
    };

    /// <summary>Options that cannot stand together, whatever the command.</summary>
    public IReadOnlyList<(OptionDefinition One, OptionDefinition Other)> Exclusions { get; } =
    [
        (Opt.Csv, Opt.Json), (Opt.Nagios, Opt.Json), (Opt.Wait, Opt.NoWait), (Opt.Quiet, Opt.Verbose), (Opt.All, Opt.Limit),
        (DaemonOpt.PidFile, DaemonOpt.NoPidFile), (DaemonOpt.ShowPidFile, DaemonOpt.NoPidFile),
    ];

    /// <summary>The commands of this version.</summary>
    public IEnumerable<CommandDefinition> Available => Commands.Where(command => !command.IsLater);

    /// <summary>The first words, each once, in the order of the table.</summary>
    public IEnumerable<string> Objects => Commands.Select(command => command.Words.Split(' ')[0]).Where(word => word.Length > 0).Distinct();

    /// <summary>Every option of every command, each once.</summary>
    public IEnumerable<OptionDefinition> AllOptions => Common.Concat(Commands.SelectMany(command => command.Options)).Concat(Program == "repmgr" ? Opt.Later : []).Distinct();

    /// <summary>The commands of this version that take the option; empty when all do.</summary>
    public IEnumerable<CommandDefinition> Taking(OptionDefinition option) => Available.Where(command => command.Options.Contains(option));

    /// <summary>All the options a command takes, its own first.</summary>
    public IEnumerable<OptionDefinition> OptionsOf(CommandDefinition command) => command.Options.Concat(Common);
}

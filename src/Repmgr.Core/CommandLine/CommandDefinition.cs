using Repmgr.Core.Problems;

namespace Repmgr.Core.CommandLine;

/// <summary>The commands. <see cref="Later"/> stands for all those of repmgr 5.x that this version does not have yet.</summary>
public enum CommandName
{
    PrimaryRegister,
    PrimaryUnregister,
    StandbyClone,
    StandbyRegister,
    StandbyUnregister,
    StandbyPromote,
    StandbyFollow,
    StandbySwitchover,
    WitnessRegister,
    WitnessUnregister,
    ClusterShow,
    ClusterMatrix,
    ClusterCrosscheck,
    ClusterEvent,
    ClusterCleanup,
    ClusterExplain,
    ServiceStatus,
    ServicePause,
    ServiceUnpause,
    ServiceSet,
    DaemonStart,
    DaemonStop,
    NodeStatus,
    NodeCheck,
    NodeService,
    NodeControl,
    NodeVerify,
    NodeRejoin,
    DumpConfig,
    Daemon,
    Later,
}

/// <summary>A command, defined once: the parser, <c>--help</c>, the manual and the completions all read this.</summary>
/// <param name="Name">Which one.</param>
/// <param name="Words">The words that call it: <c>standby clone</c>. Empty for a program that has no verbs.</param>
/// <param name="Summary">What it does: a clause in lower case without a full stop.</param>
public sealed record CommandDefinition(CommandName Name, string Words, string Summary)
{
    /// <summary>It changes something: root must not run it.</summary>
    public bool Changes { get; init; } = true;

    /// <summary>Paragraphs of the manual.</summary>
    public IReadOnlyList<string> Description { get; init; } = [];

    /// <summary>What must hold before it can run: whole sentences.</summary>
    public IReadOnlyList<string> Needs { get; init; } = [];

    /// <summary>The options it takes besides <see cref="CommandTable.Common"/>.</summary>
    public IReadOnlyList<OptionDefinition> Options { get; init; } = [];

    /// <summary>What these options mean here, where that differs from the option's own summary.</summary>
    public IReadOnlyDictionary<OptionDefinition, string> Meanings { get; init; } = new Dictionary<OptionDefinition, string>();

    /// <summary>The name of the one word that may follow: <c>node</c>; null when none may.</summary>
    public string? Argument { get; init; }

    /// <summary>Examples: the command line and what it does.</summary>
    public IReadOnlyList<(string Line, string Says)> Examples { get; init; } = [];

    /// <summary>The exit codes it can end with besides 0 and 1.</summary>
    public IReadOnlyList<(ExitCode Code, string When)> ExitCodes { get; init; } = [];

    /// <summary>Faults of a combination of options that each by itself is right.</summary>
    public Func<CommandOptions, IEnumerable<Problem>>? Faults { get; init; }

    public bool IsLater => Name == CommandName.Later;

    public string MeaningOf(OptionDefinition option) => Meanings.TryGetValue(option, out string? meaning) ? meaning : option.Summary;
}

namespace Repmgr.Core.Settings;

/// <summary>
/// The definition of one key of <c>repmgr.conf</c>: the only source of its parser, its manual entry, its line in the sample
/// file and its default. The default is what a new <see cref="Settings"/> holds, so the two cannot disagree.
/// </summary>
/// <param name="name">As it is written in the file.</param>
public abstract class Setting(string name)
{
    public string Name { get; } = name;

    /// <summary>Other spellings that are accepted, those of earlier generations.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    public required SettingGroup Group { get; init; }

    /// <summary>What it does: whole sentences, for the manual and the sample file.</summary>
    public required string Description { get; init; }

    /// <summary>The generation of repmgr that brought it.</summary>
    public Generation Since { get; init; } = Generation.Five;

    /// <summary>When a change takes effect.</summary>
    public TakesEffect TakesEffect { get; init; } = TakesEffect.AtNextCommand;

    /// <summary>The feature it belongs to, when that feature is not in this version yet; else null.</summary>
    public string? Pending { get; init; }

    /// <summary>What has taken its place since an earlier generation, so that it is accepted without effect; else null.</summary>
    public string? Replaced { get; init; }

    /// <summary>What holds instead where agents decide (<c>failover = automatic</c>), and it decides nothing: a clause; else null.</summary>
    public string? WithAgents { get; init; }

    /// <summary>Why it is accepted but has no effect and never will; else null.</summary>
    public string? Retired { get; init; }

    /// <summary>Each occurrence in the file adds to the value, instead of the last one winning.</summary>
    public bool Accumulates { get; init; }

    /// <summary>The type as the manual names it, for instance <c>integer</c>.</summary>
    public abstract string TypeName { get; }

    /// <summary>What is allowed, as a noun phrase: <c>an integer of at least 1</c>.</summary>
    public abstract string Allowed { get; }

    /// <summary>The unit of a plain number, for instance <c>seconds</c>; null when there is none.</summary>
    public abstract string? Unit { get; }

    /// <summary>The value as it would stand in a file, without quotes and with secrets hidden; null when it is unset.</summary>
    public abstract string? Show(Settings settings);

    /// <summary>Takes <paramref name="text"/> over into <paramref name="settings"/>; answers null, or why it cannot be taken.</summary>
    internal abstract string? Assign(string text, ref Settings settings);

    /// <summary>The default as it would stand in a file; null when there is none.</summary>
    public string? Default => Show(Settings.Defaults);

    public override string ToString() => Name;
}

/// <summary>A setting whose value is a <typeparamref name="T"/>.</summary>
/// <param name="name">As it is written in the file.</param>
/// <param name="type">How its text is read and shown.</param>
/// <param name="get">Reads it from the settings.</param>
/// <param name="set">Gives settings with another value; for an accumulating setting, with one value more.</param>
public sealed class Setting<T>(string name, SettingType<T> type, Func<Settings, T> get, Func<Settings, T, Settings> set) : Setting(name)
{
    public override string TypeName => type.Name;

    public override string Allowed => type.Allowed;

    public override string? Unit => type.Unit;

    public override string? Show(Settings settings) => type.Show(get(settings));

    internal override string? Assign(string text, ref Settings settings)
    {
        if (type.Read(text, out T value) is { } reason)
            return reason;

        settings = set(settings, value);
        return null;
    }
}

/// <summary>Which chapter of the manual a setting stands in.</summary>
public enum SettingGroup
{
    Node,
    Replication,
    Logging,
    Events,
    Programs,
    Cloning,
    Promoting,
    Switchover,
    Checks,
    Daemon,
    Failover,
    Children,
    ServiceCommands,
}

/// <summary>The generation of repmgr that brought a setting.</summary>
public enum Generation
{
    /// <summary>1.x</summary>
    One,

    /// <summary>2.0</summary>
    Two,

    /// <summary>3.x to 5.x</summary>
    Five,

    /// <summary>This program.</summary>
    Six,
}

/// <summary>When a change of a setting takes effect.</summary>
public enum TakesEffect
{
    /// <summary>Only commands use it, and they read the file each time.</summary>
    AtNextCommand,

    /// <summary>repmgrd takes it over on SIGHUP.</summary>
    OnReload,

    /// <summary>repmgrd has to be restarted.</summary>
    AtRestart,

    /// <summary>It is part of the node's record: <c>primary register --force</c> or <c>standby register --force</c> takes it over.</summary>
    AtRegistration,

    /// <summary>A running repmgrd refuses the change: it is the identity of the node.</summary>
    Never,
}

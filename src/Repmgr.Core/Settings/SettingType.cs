using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;
using Repmgr.Core.Settings.Types;

namespace Repmgr.Core.Settings;

/// <summary>How the text of a value is read and shown.</summary>
/// <param name="Name">As the manual names the type.</param>
/// <param name="Allowed">What is allowed, as a noun phrase.</param>
public abstract record SettingType<T>(string Name, string Allowed)
{
    /// <summary>The unit of a plain number, or null.</summary>
    public virtual string? Unit => null;

    /// <summary>Reads a value; answers null, or a whole sentence saying why it cannot.</summary>
    public abstract string? Read(string text, out T value);

    /// <summary>The value as it would stand in a file; null when it is unset. Secrets are hidden.</summary>
    public abstract string? Show(T value);

    /// <summary>The sentence for a value that is not what <see cref="Allowed"/> says.</summary>
    protected string Expected => $"The value must be {Allowed}.";
}

/// <summary>The types there are.</summary>
public static class SettingType
{
    public static SettingType<string?> Text(string allowed = "any text") => new TextType("string", allowed);

    /// <summary>A text that always has a value.</summary>
    public static SettingType<string> NonEmpty(string allowed) => new NonEmptyType(allowed);

    public static SettingType<string?> Path { get; } = new TextType("path", "a path");

    public static SettingType<string?> Command { get; } = new TextType("command", "a command line");

    public static SettingType<bool> Boolean { get; } = new BooleanType();

    /// <summary>A boolean that may also be left unset.</summary>
    public static SettingType<bool?> BooleanOrUnset { get; } = new BooleanOrUnsetType();

    public static SettingType<int> Integer(int min = int.MinValue, int max = int.MaxValue) => new IntegerType(min, max);

    /// <summary>A count where -1 stands for "not set".</summary>
    public static SettingType<int?> CountOrUnset { get; } = new CountOrUnsetType();

    /// <summary>A time in whole seconds.</summary>
    public static SettingType<TimeSpan> Seconds(int min = 0) => new SecondsType(min);

    /// <summary>A time in whole seconds, where -1 stands for "never".</summary>
    public static SettingType<TimeSpan?> SecondsOrNever { get; } = new SecondsOrNeverType();

    /// <summary>A time in whole seconds that may also be left unset.</summary>
    public static SettingType<TimeSpan?> SecondsOrUnset { get; } = new SecondsOrUnsetType();

    /// <summary>A time with PostgreSQL's units (ms, s, min, h, d); a plain number is milliseconds.</summary>
    public static SettingType<TimeSpan> Delay { get; } = new DelayType();

    public static SettingType<T> Choice<T>(params (string Text, T Value)[] choices)
        where T : struct, Enum => new ChoiceType<T>(choices);

    public static SettingType<NodeId?> NodeNumber { get; } = new NodeIdType();

    public static SettingType<string?> NodeName { get; } = new NodeNameType();

    public static SettingType<Conninfo?> Conninfo { get; } = new ConninfoType();

    public static SettingType<IReadOnlyList<string>> Names { get; } = new NamesType();

    /// <summary>Where something listens, as URLs separated by commas.</summary>
    public static SettingType<IReadOnlyList<string>> Urls { get; } = new UrlsType();

    public static SettingType<IReadOnlyList<TablespaceMapping>> Mappings { get; } = new MappingType();
}

using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;

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

    public static SettingType<IReadOnlyList<TablespaceMapping>> Mappings { get; } = new MappingType();

    private static bool TryReadInteger(string text, out int number) =>
        int.TryParse(text.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);

    private static string AtLeast(string noun, int min, int max = int.MaxValue) => (min, max) switch
    {
        (int.MinValue, int.MaxValue) => noun,
        (_, int.MaxValue) => string.Create(CultureInfo.InvariantCulture, $"{noun} of at least {min}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{noun} from {min} to {max}"),
    };

    private sealed record TextType(string Name, string Allowed) : SettingType<string?>(Name, Allowed)
    {
        public override string? Read(string text, out string? value)
        {
            value = text.Length == 0 ? null : text;
            return null;
        }

        public override string? Show(string? value) => value;
    }

    private sealed record NonEmptyType(string Allowed) : SettingType<string>("string", Allowed)
    {
        public override string? Read(string text, out string value)
        {
            value = text;
            return text.Trim().Length == 0 ? Expected : null;
        }

        public override string Show(string value) => value;
    }

    private sealed record BooleanOrUnsetType() : SettingType<bool?>(Boolean.Name, Boolean.Allowed)
    {
        public override string? Read(string text, out bool? value)
        {
            string? reason = Boolean.Read(text, out bool read);
            value = read;
            return reason;
        }

        public override string? Show(bool? value) => value is { } set ? Boolean.Show(set) : null;
    }

    private sealed record BooleanType() : SettingType<bool>("boolean", "one of true, false, on, off, yes, no, 1, 0")
    {
        public override string? Read(string text, out bool value)
        {
            bool? read = text.Trim().ToLowerInvariant() switch
            {
                "true" or "on" or "yes" or "1" => true,
                "false" or "off" or "no" or "0" => false,
                _ => null,
            };
            value = read ?? false;
            return read is null ? Expected : null;
        }

        public override string Show(bool value) => value ? "true" : "false";
    }

    private sealed record IntegerType(int Min, int Max) : SettingType<int>("integer", AtLeast("an integer", Min, Max))
    {
        public override string? Read(string text, out int value) =>
            TryReadInteger(text, out value) && value >= Min && value <= Max ? null : Expected;

        public override string Show(int value) => value.ToString(CultureInfo.InvariantCulture);
    }

    private sealed record CountOrUnsetType() : SettingType<int?>("integer", "an integer of at least 0, or -1 for none")
    {
        public override string? Read(string text, out int? value)
        {
            bool good = TryReadInteger(text, out int number) && number >= -1;
            value = number < 0 ? null : number;
            return good ? null : Expected;
        }

        public override string Show(int? value) => (value ?? -1).ToString(CultureInfo.InvariantCulture);
    }

    private sealed record SecondsType(int Min) : SettingType<TimeSpan>("integer", AtLeast("a number of seconds", Min))
    {
        public override string Unit => "seconds";

        public override string? Read(string text, out TimeSpan value)
        {
            bool good = TryReadInteger(text, out int number) && number >= Min;
            value = TimeSpan.FromSeconds(number);
            return good ? null : Expected;
        }

        public override string Show(TimeSpan value) => value.TotalSeconds.ToString("0", CultureInfo.InvariantCulture);
    }

    private sealed record SecondsOrNeverType() : SettingType<TimeSpan?>("integer", "a number of seconds of at least 0, or -1 for never")
    {
        public override string Unit => "seconds";

        public override string? Read(string text, out TimeSpan? value)
        {
            bool good = TryReadInteger(text, out int number) && number >= -1;
            value = number < 0 ? null : TimeSpan.FromSeconds(number);
            return good ? null : Expected;
        }

        public override string Show(TimeSpan? value) => value is { } time ? time.TotalSeconds.ToString("0", CultureInfo.InvariantCulture) : "-1";
    }

    private sealed record SecondsOrUnsetType() : SettingType<TimeSpan?>("integer", AtLeast("a number of seconds", 0))
    {
        public override string Unit => "seconds";

        public override string? Read(string text, out TimeSpan? value)
        {
            bool good = TryReadInteger(text, out int number) && number >= 0;
            value = TimeSpan.FromSeconds(number);
            return good ? null : Expected;
        }

        public override string? Show(TimeSpan? value) => value?.TotalSeconds.ToString("0", CultureInfo.InvariantCulture);
    }

    private sealed record DelayType() : SettingType<TimeSpan>("time", "a whole number with a unit of ms, s, min, h or d")
    {
        public override string Unit => "milliseconds";

        public override string? Read(string text, out TimeSpan value)
        {
            value = default;
            string trimmed = text.Trim();
            int digits = trimmed.AsSpan().IndexOfAnyExceptInRange('0', '9');
            digits = digits < 0 ? trimmed.Length : digits;
            long? milliseconds = trimmed[digits..].Trim() switch
            {
                "" or "ms" => 1,
                "s" => 1000,
                "min" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                _ => null,
            };
            // PostgreSQL keeps the value in a 32-bit number of milliseconds.
            if (milliseconds is null
                || !int.TryParse(trimmed.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                || number * milliseconds.Value > int.MaxValue)
                return Expected;

            value = TimeSpan.FromMilliseconds(number * milliseconds.Value);
            return null;
        }

        public override string Show(TimeSpan value) => value.TotalMilliseconds switch
        {
            0 => "0",
            double ms when ms % 1000 == 0 => value.TotalSeconds.ToString("0", CultureInfo.InvariantCulture) + "s",
            double ms => ms.ToString("0", CultureInfo.InvariantCulture) + "ms",
        };
    }

    private sealed record ChoiceType<T>((string Text, T Value)[] Choices)
        : SettingType<T>("enum", "one of " + string.Join(", ", Choices.DistinctBy(choice => choice.Value).Select(choice => choice.Text)))
        where T : struct, Enum
    {
        public override string? Read(string text, out T value)
        {
            foreach ((string known, T meaning) in Choices)
            {
                if (string.Equals(known, text.Trim(), StringComparison.OrdinalIgnoreCase))
                {
                    value = meaning;
                    return null;
                }
            }

            value = default;
            return Expected;
        }

        public override string Show(T value) =>
            Choices.First(choice => EqualityComparer<T>.Default.Equals(choice.Value, value)).Text;
    }

    private sealed record NodeIdType() : SettingType<NodeId?>("integer", AtLeast("an integer", 1))
    {
        public override string? Read(string text, out NodeId? value)
        {
            bool good = TryReadInteger(text, out int number) && number >= 1;
            value = good ? new NodeId(number) : null;
            return good ? null : Expected;
        }

        public override string? Show(NodeId? value) => value?.ToString();
    }

    /// <remarks>
    /// The name becomes the standby's application_name, of which the server keeps 63 bytes and turns all but printable ASCII into
    /// question marks: https://www.postgresql.org/docs/current/runtime-config-logging.html#GUC-APPLICATION-NAME
    /// </remarks>
    private sealed record NodeNameType() : SettingType<string?>("string", "1 to 63 printable ASCII characters")
    {
        public override string? Read(string text, out string? value)
        {
            value = text;
            return text.Length is >= 1 and <= 63 && text.All(letter => letter is >= ' ' and <= '~') && text.Trim().Length == text.Length
                ? null
                : "The value must be 1 to 63 printable ASCII characters, without blanks at either end.";
        }

        public override string? Show(string? value) => value;
    }

    private sealed record ConninfoType() : SettingType<Conninfo?>("conninfo", "a libpq connection string or URI")
    {
        public override string? Read(string text, out Conninfo? value)
        {
            if (Postgres.Conninfo.TryParse(text, out value, out var problem))
                return null;

            // The connection string's own words, as a sentence; they never hold a value that could be a password.
            return string.Concat(["The connection string cannot be read: ", problem.Message, ".", problem.Detail is { } detail ? " " + detail : "", problem.Hint is { } hint ? " " + hint : ""]);
        }

        public override string? Show(Conninfo? value) => value?.ToString();
    }

    private sealed record NamesType() : SettingType<IReadOnlyList<string>>("list", "names separated by commas")
    {
        public override string? Read(string text, out IReadOnlyList<string> value)
        {
            value = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            return null;
        }

        public override string? Show(IReadOnlyList<string> value) => value.Count == 0 ? null : string.Join(',', value);
    }

    private sealed record MappingType()
        : SettingType<IReadOnlyList<TablespaceMapping>>("mapping", "OLD=NEW, two absolute paths; a = inside a path is written \\=")
    {
        public override string? Read(string text, out IReadOnlyList<TablespaceMapping> value)
        {
            bool good = TablespaceMapping.TryParse(text, out var mapping);
            value = good ? [mapping!] : [];
            return good ? null : Expected;
        }

        public override string? Show(IReadOnlyList<TablespaceMapping> value) => value.Count == 0 ? null : string.Join(' ', value);
    }
}

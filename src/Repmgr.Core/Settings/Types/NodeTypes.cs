using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;

namespace Repmgr.Core.Settings.Types;

internal sealed record NodeIdType() : SettingType<NodeId?>("integer", IntegerText.AtLeast("an integer", 1))
{
    public override string? Read(string text, out NodeId? value)
    {
        bool good = IntegerText.TryRead(text, out int number) && number >= 1;
        value = good ? new NodeId(number) : null;
        return good ? null : Expected;
    }

    public override string? Show(NodeId? value) => value?.ToString();
}

/// <remarks>
/// The name becomes the standby's application_name, of which the server keeps 63 bytes and turns all but printable ASCII into
/// question marks: https://www.postgresql.org/docs/current/runtime-config-logging.html#GUC-APPLICATION-NAME
/// </remarks>
internal sealed record NodeNameType() : SettingType<string?>("string", "1 to 63 printable ASCII characters")
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

internal sealed record ConninfoType() : SettingType<Conninfo?>("conninfo", "a libpq connection string or URI")
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

internal sealed record MappingType()
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

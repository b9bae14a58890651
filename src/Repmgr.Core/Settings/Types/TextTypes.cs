namespace Repmgr.Core.Settings.Types;

internal sealed record TextType(string Name, string Allowed) : SettingType<string?>(Name, Allowed)
{
    public override string? Read(string text, out string? value)
    {
        value = text.Length == 0 ? null : text;
        return null;
    }

    public override string? Show(string? value) => value;
}

internal sealed record NonEmptyType(string Allowed) : SettingType<string>("string", Allowed)
{
    public override string? Read(string text, out string value)
    {
        value = text;
        return text.Trim().Length == 0 ? Expected : null;
    }

    public override string Show(string value) => value;
}

internal sealed record NamesType() : SettingType<IReadOnlyList<string>>("list", "names separated by commas")
{
    public override string? Read(string text, out IReadOnlyList<string> value)
    {
        value = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return null;
    }

    public override string? Show(IReadOnlyList<string> value) => value.Count == 0 ? null : string.Join(',', value);
}

internal sealed record UrlsType() : SettingType<IReadOnlyList<string>>("list", "URLs that begin with http:// or https://, separated by commas, without user or path")
{
    public override string? Read(string text, out IReadOnlyList<string> value)
    {
        value = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return value.All(IsPlain) ? null : Expected;
    }

    public override string? Show(IReadOnlyList<string> value) => value.Count == 0 ? null : string.Join(',', value);

    private static bool IsPlain(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https" && url.UserInfo.Length == 0 && url.PathAndQuery == "/";
}

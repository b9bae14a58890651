using System.Text;

namespace Repmgr.Core.Postgres;

/// <summary>The manual's table of connection parameters, out of <see cref="ConninfoKeyword.All"/>.</summary>
public static class ConninfoDocs
{
    public static string Table()
    {
        StringBuilder text = new("| parameter | environment | |\n|---|---|---|\n");
        foreach (ConninfoKeyword keyword in ConninfoKeyword.All)
        {
            text.Append("| `").Append(keyword.Name).Append("` | ").Append(keyword.Variable is { } variable ? $"`{variable}`" : "")
                .Append(" | ").Append(Honoured(keyword)).Append(" |\n");
        }

        return text.ToString();
    }

    private static string Honoured(ConninfoKeyword keyword)
    {
        if (keyword.Refused is not { } reason)
            return keyword.Words.Count > 0 ? string.Join(", ", keyword.Words) : "as libpq";

        string harmless = keyword.Harmless.Count > 0 ? $" Only {string.Join(", ", keyword.Harmless.Select(value => $"`{value}`"))} is accepted." : "";
        return $"refused: {reason}{harmless}";
    }
}

using System.Globalization;
using System.Text;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Postgres;

/// <summary>
/// <c>keyword=value keyword='value with blanks'</c>; blanks around the equals sign are allowed, a backslash takes the meaning from
/// the next character, a later value for a keyword replaces an earlier one.
/// </summary>
/// <remarks>https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE</remarks>
internal static class KeywordValueSyntax
{
    public static Problem? Read(string text, out Conninfo? conninfo)
    {
        conninfo = null;
        Conninfo read = Conninfo.Empty;
        bool afterSecret = false;
        int at = 0;
        while (SkipBlanks(text, ref at))
        {
            int start = at;
            while (at < text.Length && text[at] != '=' && !IsBlank(text[at]))
                at++;
            string keyword = text[start..at];
            SkipBlanks(text, ref at);
            if (at >= text.Length || text[at] != '=')
                return MissingEquals(start);

            at++;
            if (ConninfoKeyword.Find(keyword) is not { } known)
                return Unknown(keyword, start, afterSecret);

            SkipBlanks(text, ref at);
            if (ReadValue(text, ref at) is not { } value)
                return new Problem("a quoted value in the connection string does not end", $"It is the value of \"{keyword}\".", "Close the quote.");

            read = read.WithPair(keyword, value);
            afterSecret = known.IsSecret;
        }

        conninfo = read;
        return null;
    }

    internal static Problem Unknown(string keyword, int at, bool afterSecret)
    {
        // After a password that was not quoted, the next "keyword" may be its rest.
        string? near = Nearest.To(keyword, ConninfoKeyword.All.Select(known => known.Name));
        return afterSecret
            ? new Problem("unknown keyword in the connection string", Position(at), "A value that has blanks must be in single quotes.")
            : new Problem($"unknown keyword \"{keyword}\" in the connection string", Position(at), near is null ? null : $"Perhaps \"{near}\" is meant.");
    }

    private static Problem MissingEquals(int at) => new(
        "missing \"=\" after a keyword in the connection string", Position(at), "A value that has blanks must be in single quotes.");

    private static string Position(int at) => string.Create(CultureInfo.InvariantCulture, $"It stands at character {at + 1}.");

    private static string? ReadValue(string text, ref int at)
    {
        bool quoted = at < text.Length && text[at] == '\'';
        StringBuilder value = new();
        for (at += quoted ? 1 : 0; at < text.Length; at++)
        {
            if (quoted ? text[at] == '\'' : IsBlank(text[at]))
            {
                at += quoted ? 1 : 0;
                return value.ToString();
            }

            if (text[at] == '\\' && ++at == text.Length)
                break;
            value.Append(text[at]);
        }

        return quoted ? null : value.ToString();
    }

    /// <summary>False at the end of the text.</summary>
    private static bool SkipBlanks(string text, ref int at)
    {
        while (at < text.Length && IsBlank(text[at]))
            at++;
        return at < text.Length;
    }

    private static bool IsBlank(char letter) => letter is ' ' or '\t' or '\n' or '\v' or '\f' or '\r';
}

using System.Text;

namespace Repmgr.Core.Cloning;

/// <summary>Splits a setting such as <c>rsync_options</c> into arguments, as a shell would split words: blanks part, quotes and backslash keep.</summary>
/// <remarks>Nothing else is special: the words never see a shell.</remarks>
public static class OptionWords
{
    public static IReadOnlyList<string> Split(string? text)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        bool begun = false;
        char quote = '\0';
        for (int at = 0; at < (text?.Length ?? 0); at++)
        {
            char c = text![at];
            if (c == '\\' && quote != '\'' && at + 1 < text.Length)
                (begun, _) = (true, word.Append(text[++at]));
            else if (quote != '\0' && c == quote)
                quote = '\0';
            else if (quote == '\0' && c is '\'' or '"')
                (begun, quote) = (true, c);
            else if (quote == '\0' && char.IsWhiteSpace(c))
                End();
            else
                (begun, _) = (true, word.Append(c));
        }

        End();
        return words;

        void End()
        {
            if (begun)
                words.Add(word.ToString());
            word.Clear();
            begun = false;
        }
    }
}

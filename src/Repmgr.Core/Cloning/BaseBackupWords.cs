namespace Repmgr.Core.Cloning;

/// <summary>What <c>pg_basebackup_options</c> says that holds for the direct method too.</summary>
/// <remarks>https://www.postgresql.org/docs/current/app-pgbasebackup.html</remarks>
internal static class BaseBackupWords
{
    public static bool Has(IReadOnlyList<string> words, string? letter, string name) => words.Any(word => word == name || (letter is not null && word == letter));

    /// <summary>The value of an option; the last one wins, as with pg_basebackup. Null: it is not there.</summary>
    public static string? Value(IReadOnlyList<string> words, string? letter, string name)
    {
        string? value = null;
        for (int at = 0; at < words.Count; at++)
        {
            string word = words[at];
            if (word == name || word == letter)
                value = words.ElementAtOrDefault(at + 1);
            else if (word.StartsWith(name + "=", StringComparison.Ordinal))
                value = word[(name.Length + 1)..];
            else if (letter is not null && word.StartsWith(letter, StringComparison.Ordinal))
                value = word[letter.Length..];
        }

        return value;
    }

    /// <summary>The words that mean nothing to the direct method.</summary>
    public static IReadOnlyList<string> Unused(IReadOnlyList<string> words)
    {
        var unused = new List<string>();
        for (int at = 0; at < words.Count; at++)
        {
            string word = words[at];
            if (word is "-r" or "--max-rate" or "--waldir")
                at++;
            else if (!(word == "--no-verify-checksums" || word.StartsWith("-r", StringComparison.Ordinal) || IsWithValue(word)))
                unused.Add(word);
        }

        return unused;
    }

    private static bool IsWithValue(string word) =>
        word.StartsWith("--max-rate=", StringComparison.Ordinal) || word.StartsWith("--waldir=", StringComparison.Ordinal);
}

namespace Repmgr.Core.Cloning;

/// <summary>An option of pg_basebackup as an operator wrote it.</summary>
/// <param name="Name">Its long name, also where the letter was written: <c>--max-rate</c>. A word that is no option has its own text.</param>
/// <param name="Value">Its value; null: it has none.</param>
/// <param name="Words">The words it was written with; none for the second and later letters of <c>-Pv</c>.</param>
internal sealed record BaseBackupOption(string Name, string? Value, IReadOnlyList<string> Words);

/// <summary>Reads <c>pg_basebackup_options</c> as pg_basebackup does: letters may stand together, and a value may stand apart.</summary>
/// <remarks>https://www.postgresql.org/docs/current/app-pgbasebackup.html; the tables are those of src/bin/pg_basebackup/pg_basebackup.c.</remarks>
internal static class BaseBackupWords
{
    public const string MaxRate = "--max-rate";
    public const string NoSlot = "--no-slot";
    public const string NoVerifyChecksums = "--no-verify-checksums";
    public const string Slot = "--slot";
    public const string WalDirectory = "--waldir";
    public const string WalMethod = "--wal-method";

    private static readonly Dictionary<char, string> WithValue = new()
    {
        ['c'] = "--checkpoint",
        ['d'] = "--dbname",
        ['D'] = "--pgdata",
        ['F'] = "--format",
        ['h'] = "--host",
        ['i'] = "--incremental",
        ['l'] = "--label",
        ['p'] = "--port",
        ['r'] = MaxRate,
        ['s'] = "--status-interval",
        ['S'] = Slot,
        ['t'] = "--target",
        ['T'] = "--tablespace-mapping",
        ['U'] = "--username",
        ['X'] = WalMethod,
        ['Z'] = "--compress",
    };

    private static readonly Dictionary<char, string> Flags = new()
    {
        ['C'] = "--create-slot",
        ['n'] = "--no-clean",
        ['N'] = "--no-sync",
        ['P'] = "--progress",
        ['R'] = "--write-recovery-conf",
        ['v'] = "--verbose",
        ['w'] = "--no-password",
        ['W'] = "--password",
        ['z'] = "--gzip",
    };

    private static readonly HashSet<string> LongWithValue = [.. WithValue.Values, WalDirectory, "--manifest-checksums", "--sync-method"];

    /// <summary>What of the options holds for the direct method too.</summary>
    private static readonly string[] Direct = [MaxRate, WalDirectory, NoVerifyChecksums];

    public static IReadOnlyList<BaseBackupOption> Read(IReadOnlyList<string> words)
    {
        var options = new List<BaseBackupOption>();
        for (int at = 0; at < words.Count; at++)
        {
            string word = words[at];
            string? next = words.ElementAtOrDefault(at + 1);
            int before = options.Count;
            if (word.StartsWith("--", StringComparison.Ordinal))
                options.Add(Long(word, next));
            else if (word.Length > 1 && word[0] == '-')
                options.AddRange(Letters(word, next));
            else
                options.Add(new BaseBackupOption(word, null, [word]));
            at += options.Skip(before).Sum(option => option.Words.Count) - 1; // A value that stood apart was taken with it.
        }

        return options;
    }

    public static bool Has(IReadOnlyList<string> words, string name) => Read(words).Any(option => option.Name == name);

    /// <summary>The value of an option; the last one wins, as with pg_basebackup. Null: it is not there.</summary>
    public static string? Value(IReadOnlyList<string> words, string name) => Read(words).LastOrDefault(option => option.Name == name)?.Value;

    /// <summary>The words that mean nothing to the direct method.</summary>
    public static IReadOnlyList<string> Unused(IReadOnlyList<string> words) =>
        [.. Read(words).Where(option => !Direct.Contains(option.Name)).SelectMany(option => option.Words)];

    private static BaseBackupOption Long(string word, string? next)
    {
        int equals = word.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 ? new BaseBackupOption(word[..equals], word[(equals + 1)..], [word])
            : LongWithValue.Contains(word) && next is not null ? new BaseBackupOption(word, next, [word, next])
            : new BaseBackupOption(word, null, [word]);
    }

    private static IEnumerable<BaseBackupOption> Letters(string word, string? next)
    {
        for (int at = 1; at < word.Length; at++)
        {
            string[] written = at == 1 ? [word] : [];
            if (!WithValue.TryGetValue(word[at], out string? name))
            {
                yield return new BaseBackupOption(Flags.GetValueOrDefault(word[at], "-" + word[at]), null, written);
                continue;
            }

            bool isApart = at == word.Length - 1 && next is not null;
            yield return new BaseBackupOption(name, isApart ? next : word[(at + 1)..], isApart ? [.. written, next!] : written);
            yield break;
        }
    }
}

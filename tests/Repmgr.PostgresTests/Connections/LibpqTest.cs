using System.Runtime.InteropServices;
using Repmgr.Core.Postgres;

namespace Repmgr.PostgresTests.Connections;

/// <summary>libpq's own parser reads every connection string as ours does: many thousand made-up ones, from a fixed seed.</summary>
public sealed partial class LibpqTest
{
    private const string Library = "libpq.so.5";

    private static readonly string[] PairPieces =
    [
        "host", "port", "user", "password", "dbname", "sslmode", "options", "bogus", "=", "=", "=", " ", " ", "  ", "\t", "\n", "'", "'", "\\", "\\'", "\\\\",
        "a", "b c", "ä", "1", "%41", ",", "x=y", "''", "host=h", "user='u'",
    ];

    private static readonly string[] UriPieces =
    [
        "user", "u%40", ":", ":", "@", "@", "/", "/", "?", "&", "=", "=", ",", "[", "]", "::1", "h1", "h2", "5432", "db", "%41", "%", "%0", "%zz", "%00", "%C3%A4", "ä",
        "host=", "port=1", "sslmode=", "ssl=true", "ssl=false", "bogus=1", "password=", "'", "\\", "#", "-", "~",
    ];

    [Fact]
    public void Keyword_value_strings_are_read_as_libpq_reads_them() => CompareAll("", PairPieces);

    [Fact]
    public void Uris_are_read_as_libpq_reads_them()
    {
        CompareAll("postgresql://", UriPieces);
        CompareAll("postgres://", UriPieces);
    }

    [Fact]
    public void What_is_revealed_is_read_by_libpq_as_it_was_given()
    {
        Skip();
        string[] values = ["", "a", "it's", "back\\slash", "two words", "tab\tand\nline", "ä€😀", "'", "\\", "\\'", "=", "a=b", "%41"];
        foreach (string first in values)
        {
            foreach (string second in values)
            {
                Conninfo conninfo = Conninfo.Empty.With("host", first).With("password", second);
                Assert.Equal(Pairs(conninfo), ReadByLibpq(conninfo.Reveal()));
            }
        }
    }

    private static void CompareAll(string prefix, string[] pieces)
    {
        Skip();
        Random random = new(20261124);
        for (int i = 0; i < 100_000; i++)
        {
            string text = prefix + string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => pieces[random.Next(pieces.Length)]));
            bool read = Conninfo.TryParse(text, out Conninfo? ours, out var problem);
            SortedDictionary<string, string>? theirs = ReadByLibpq(text);
            if (!read && theirs is not null && IsStricter(problem!.Message))
                continue;

            Assert.True(read == theirs is not null, $"{text}\nours: {problem?.Message ?? "read"}\nlibpq: {(theirs is null ? "refused" : "read")}");
            if (read)
                Assert.True(Pairs(ours!).SequenceEqual(theirs!), $"{text}\nours: {string.Join(' ', Pairs(ours!))}\nlibpq: {string.Join(' ', theirs!)}");
        }
    }

    /// <summary>
    /// Where we refuse what libpq takes: the rest of a password that would be taken for a host and shown; bytes that are no text;
    /// and what only a newer libpq refuses.
    /// </summary>
    private static bool IsStricter(string message) =>
        message is "\"@\" stands twice before the first slash of the connection URI"
            or "a value in the connection URI is not UTF-8 after decoding"
            or "a blank stands in the connection URI";

    private static SortedDictionary<string, string> Pairs(Conninfo conninfo) =>
        new(conninfo.Keywords.ToDictionary(keyword => keyword, keyword => conninfo[keyword]!), StringComparer.Ordinal);

    private static void Skip() =>
        Assert.SkipUnless(NativeLibrary.TryLoad(Library, out _), $"{Library} is not on this machine; it comes with PostgreSQL's client programs");

    private static SortedDictionary<string, string>? ReadByLibpq(string text)
    {
        nint options = PQconninfoParse(text, out nint error);
        PQfreemem(error);
        if (options == 0)
            return null;

        SortedDictionary<string, string> pairs = new(StringComparer.Ordinal);
        // struct PQconninfoOption: six pointers (keyword, envvar, compiled, val, label, dispchar) and an int.
        for (nint option = options; Marshal.ReadIntPtr(option) != 0; option += 7 * nint.Size)
        {
            if (Marshal.PtrToStringUTF8(Marshal.ReadIntPtr(option, 3 * nint.Size)) is { } value)
                pairs[Marshal.PtrToStringUTF8(Marshal.ReadIntPtr(option))!] = value;
        }

        PQconninfoFree(options);
        return pairs;
    }

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint PQconninfoParse(string text, out nint error);

    [LibraryImport(Library)]
    private static partial void PQconninfoFree(nint options);

    [LibraryImport(Library)]
    private static partial void PQfreemem(nint memory);
}

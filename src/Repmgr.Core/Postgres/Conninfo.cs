using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Postgres;

/// <summary>
/// A libpq connection string, as the keywords and values it gives; immutable. <see cref="ToString"/> hides secrets, so that it can
/// be shown and logged; <see cref="Reveal"/> does not.
/// </summary>
/// <remarks>https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING</remarks>
public sealed class Conninfo : IEquatable<Conninfo>
{
    private static readonly SearchValues<char> NotPlain = SearchValues.Create("' \\\t\n\v\f\r");

    private readonly IReadOnlyList<KeyValuePair<string, string>> _pairs;

    private Conninfo(IReadOnlyList<KeyValuePair<string, string>> pairs) => _pairs = pairs;

    public static Conninfo Empty { get; } = new([]);

    /// <summary>What stands in place of a secret.</summary>
    public const string Hidden = "********";

    /// <summary>The keywords that are given, each once, in the order in which they were given first.</summary>
    public IEnumerable<string> Keywords => _pairs.Select(pair => pair.Key);

    /// <summary>The value of a keyword; null when it is not given. An empty value is a value.</summary>
    public string? this[string keyword] => _pairs.FirstOrDefault(pair => pair.Key == keyword).Value;

    /// <summary>Reads both forms: <c>keyword=value …</c> and <c>postgresql://…</c>. A problem never repeats a value.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out Conninfo? conninfo, [NotNullWhen(false)] out Problem? problem)
    {
        ArgumentNullException.ThrowIfNull(text);
        conninfo = null;
        problem = text.Contains('\0', StringComparison.Ordinal) ? new Problem("a connection string must not hold a NUL character")
            : ConninfoUri.IsUri(text) ? ConninfoUri.Read(text, out conninfo)
            : KeywordValueSyntax.Read(text, out conninfo);
        return problem is null;
    }

    /// <summary>
    /// Reads what <c>--dbname</c> takes: the name of a database, or a whole connection string, which is told by its <c>=</c> or <c>://</c>.
    /// </summary>
    public static bool TryParseDatabase(string text, [NotNullWhen(true)] out Conninfo? conninfo, [NotNullWhen(false)] out Problem? problem)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (ConninfoUri.IsUri(text) || text.Contains('=', StringComparison.Ordinal))
            return TryParse(text, out conninfo, out problem);

        (conninfo, problem) = (Empty.With("dbname", text), null);
        return true;
    }

    /// <summary>With this value for the keyword, in place of the one it had.</summary>
    public Conninfo With(string keyword, string value)
    {
        if (ConninfoKeyword.Find(keyword) is null)
            throw new ArgumentException($"libpq has no keyword \"{keyword}\"", nameof(keyword));

        return WithPair(keyword, value);
    }

    /// <summary>With this value, unless the keyword has one already.</summary>
    public Conninfo WithDefault(string keyword, string value) => this[keyword] is null ? With(keyword, value) : this;

    public Conninfo Without(string keyword) => new([.. _pairs.Where(pair => pair.Key != keyword)]);

    /// <summary>With all that <paramref name="other"/> gives; where both give a value, the other's wins.</summary>
    public Conninfo Merge(Conninfo other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return other._pairs.Aggregate(this, (merged, pair) => merged.WithPair(pair.Key, pair.Value));
    }

    /// <summary>Without passwords and the like: what may be stored in a table.</summary>
    public Conninfo WithoutSecrets() => new([.. _pairs.Where(pair => ConninfoKeyword.Find(pair.Key) is not { IsSecret: true })]);

    /// <summary>The string libpq reads back to the same values, secrets included. Only for libpq itself, never to be shown or stored.</summary>
    public string Reveal() => Join(pair => pair.Value);

    /// <summary>The string with secrets hidden.</summary>
    public override string ToString() => Join(pair => ConninfoKeyword.Find(pair.Key) is { IsSecret: true } && pair.Value.Length > 0 ? Hidden : pair.Value);

    /// <summary>The same values for the same keywords, in whatever order.</summary>
    public bool Equals(Conninfo? other) =>
        other is not null && _pairs.Count == other._pairs.Count && _pairs.All(pair => other[pair.Key] == pair.Value);

    public override bool Equals(object? obj) => Equals(obj as Conninfo);

    public override int GetHashCode() => _pairs.Aggregate(0, (hash, pair) => hash ^ HashCode.Combine(pair.Key, pair.Value));

    /// <summary>For the parsers, which have checked the keyword.</summary>
    internal Conninfo WithPair(string keyword, string value)
    {
        KeyValuePair<string, string> pair = new(keyword, value);
        return this[keyword] is null
            ? new([.. _pairs, pair])
            : new([.. _pairs.Select(old => old.Key == keyword ? pair : old)]);
    }

    /// <summary>A value as it has to stand after <c>keyword=</c>: quoted unless it is a plain word.</summary>
    internal static string Quote(string value)
    {
        if (value.Length > 0 && !value.AsSpan().ContainsAny(NotPlain))
            return value;

        return string.Concat("'", value.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("'", @"\'", StringComparison.Ordinal), "'");
    }

    private string Join(Func<KeyValuePair<string, string>, string> value)
    {
        StringBuilder text = new();
        foreach (KeyValuePair<string, string> pair in _pairs)
            text.Append(text.Length > 0 ? " " : "").Append(pair.Key).Append('=').Append(Quote(value(pair)));
        return text.ToString();
    }
}

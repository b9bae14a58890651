using CsCheck;
using Repmgr.Core.Postgres;

namespace Repmgr.Tests.Postgres;

/// <summary>What is revealed reads back; what is shown hides.</summary>
public sealed class ConninfoRoundTripTests
{
    private static readonly Gen<string> Value = Gen.OneOf(
        Gen.String,
        Gen.String[Gen.Char["'\\ \t\n=,@:/%&?[]a1ä€"]])
        .Where(text => !text.Any(char.IsSurrogate) && !text.Contains('\0', StringComparison.Ordinal));

    private static readonly Gen<Conninfo> Any = Gen.Select(Pick.From([.. ConninfoKeyword.All.Select(keyword => keyword.Name)]), Value)
        .Array[0, 12].Select(pairs => pairs.Aggregate(Conninfo.Empty, (conninfo, pair) => conninfo.With(pair.Item1, pair.Item2)));

    [Fact]
    public void What_is_revealed_reads_back_the_same() =>
        Any.Sample(conninfo => Conninfo.TryParse(conninfo.Reveal(), out Conninfo? again, out _) && again.Equals(conninfo));

    [Fact]
    public void A_uri_reads_back_the_same() =>
        Any.Sample(conninfo => Conninfo.TryParse(Uri(conninfo), out Conninfo? again, out _) && again.Equals(conninfo));

    [Fact]
    public void What_is_shown_holds_no_secret() =>
        Any.Sample(conninfo =>
        {
            const string secret = "S3cr3t!";
            string shown = conninfo.With("password", secret).With("sslpassword", secret + "2").ToString();
            return !shown.Contains(secret, StringComparison.Ordinal) && Conninfo.TryParse(shown, out _, out _);
        });

    [Fact]
    public void Merging_takes_the_others_value_and_keeps_the_rest() =>
        Gen.Select(Any, Any).Sample((one, other) =>
        {
            Conninfo merged = one.Merge(other);
            return merged.Keywords.All(keyword => merged[keyword] == (other[keyword] ?? one[keyword]))
                && one.Keywords.Concat(other.Keywords).ToHashSet().SetEquals(merged.Keywords);
        });

    [Fact]
    public void No_problem_repeats_what_stands_behind_a_password() =>
        Gen.Select(Pick.From("password=", "password = ", "password='", "host=a password=b ", "sslpassword=x "), Value, Value).Sample((start, before, after) =>
        {
            const string secret = "S3cr3t!";
            return Conninfo.TryParse($"{start}{secret}{before}{after}", out Conninfo? read, out var problem)
                ? !read!.ToString().Contains(secret, StringComparison.Ordinal) || read.ToString().Contains("password=********", StringComparison.Ordinal)
                : !$"{problem!}".Contains(secret, StringComparison.Ordinal);
        });

    [Fact]
    public void Any_text_is_read_or_refused_with_a_reason() =>
        Value.Sample(text => Conninfo.TryParse(text, out Conninfo? read, out var problem) ? read is not null : problem!.Message.Length > 0);

    /// <summary>Everything as parameters, all of it encoded.</summary>
    private static string Uri(Conninfo conninfo) =>
        "postgresql://?" + string.Join('&', conninfo.Keywords.Select(keyword => $"{keyword}={System.Uri.EscapeDataString(conninfo[keyword]!)}"));
}

using CsCheck;
using Repmgr.Core.Settings;

namespace Repmgr.Tests.Conf;

/// <summary>What is written reads back, whatever it is.</summary>
public sealed class ConfRoundTripTests
{
    private static readonly Gen<string> Value = Gen.OneOf(
        Gen.String,
        Gen.String[Gen.Char["'\\\"#= \t\n\ran07ä€"]]).Where(IsText);

    private static readonly Gen<string> Name = Gen.String[Gen.Char["abcdefghijklmnopqrstuvwxyz_"], 1, 20].Where(name => !name.StartsWith("include", StringComparison.Ordinal));

    [Fact]
    public void A_quoted_value_reads_back_unchanged() =>
        Gen.Select(Name, Value).Array[0, 20].Sample(lines =>
        {
            string text = string.Join('\n', lines.Select(line => $"{line.Item1} = {ConfSyntax.Quote(line.Item2)} # comment 'with' quotes"));
            ConfText read = ConfSyntax.Parse(text);
            return read.Errors.Count == 0
                && read.Entries.Cast<ConfEntry.Assignment>().Select(entry => (entry.Name, entry.Value)).SequenceEqual(lines);
        });

    [Fact]
    public void Any_text_is_read_without_an_exception_and_every_entry_and_error_has_its_line() =>
        Value.Array[0, 30].Sample(lines =>
        {
            string text = string.Join('\n', lines);
            int count = text.Split('\n').Length;
            ConfText read = ConfSyntax.Parse(text);
            return read.Entries.All(entry => entry.Line >= 1 && entry.Line <= count) && read.Errors.All(error => error.Line >= 1 && error.Line <= count);
        });

    /// <summary>Found by the fuzzer: as the first thing in a text it is skipped, so it must not be part of a name elsewhere.</summary>
    [Fact]
    public void A_byte_order_mark_begins_a_file_and_nothing_else()
    {
        Assert.Empty(ConfSyntax.Parse("\uFEFFnode_id = 1").Errors);
        Assert.Equal([new ConfError(2, "a line must begin with the name of a setting")], ConfSyntax.Parse("node_id = 1\n\uFEFFnode_name = a").Errors);
    }

    [Fact]
    public void No_error_repeats_a_value() =>
        Gen.Select(Pick.From("conninfo=", "conninfo = ", "conninfo '", "x = 'a' ", "1", "= ", "password='"), Value).Sample((start, value) =>
        {
            const string secret = "S3cr3t!";
            ConfText read = ConfSyntax.Parse($"{start}{secret}'{value}\n{value} {secret}'");
            return read.Errors.All(error => !error.Message.Contains(secret, StringComparison.Ordinal));
        });

    [Fact]
    public void Every_setting_reads_back_what_it_shows() =>
        Gen.Select(Pick.From([.. SettingTable.All]), Gen.OneOf(Value, Gen.Int.Select(number => $"{number}"), Pick.From("yes", "off", "5min", "/a=/b", "-1", "DEBUG", "automatic")))
            .Sample((setting, text) =>
            {
                SettingsRead read = Read(setting, text);
                // Secrets are not shown, and neither is what was refused.
                if (read.Problems.Count > 0 || setting.Show(read.Settings) is not { } shown || setting.Name == "conninfo")
                    return true;
                return setting.Show(Read(setting, shown).Settings) == shown;
            });

    private static SettingsRead Read(Setting setting, string text) => SettingsReader.Read([new Assigned(setting.Name, text, new ConfPlace("f", 1))]);

    /// <summary>No file holds half a surrogate, and no value a NUL.</summary>
    private static bool IsText(string text) => !text.Any(char.IsSurrogate) && !text.Contains('\0', StringComparison.Ordinal);
}

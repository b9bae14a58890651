using System.Text;

namespace Repmgr.Core.Settings;

/// <summary>
/// The grammar of <c>repmgr.conf</c>, which is that of <c>postgresql.conf</c>: one <c>name = value</c> per line, the equals sign
/// optional, <c>#</c> begins a comment, values in single quotes unless they are a simple word or number.
/// </summary>
/// <remarks>
/// <para>https://www.postgresql.org/docs/current/config-setting.html#CONFIG-SETTING-CONFIGURATION-FILE</para>
/// <para>
/// Files of repmgr 1.x and 2.0 hold values with blanks or slashes without quotes (<c>rsync_options=--archive --checksum</c>). Such
/// a line is taken as it was then, and marked <see cref="ConfEntry.Assignment.Loose"/>, when it cannot be mistaken: it has an equals
/// sign, and neither a single quote nor a comment.
/// </para>
/// <para>No error repeats the text of a value: it may hold a password.</para>
/// </remarks>
public static class ConfSyntax
{
    /// <summary>After so many errors the rest of a file is not read: it is no configuration file.</summary>
    public const int MaxErrors = 100;

    /// <summary>Reads the text of one file. Every error in it is reported.</summary>
    public static ConfText Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        List<ConfEntry> entries = [];
        List<ConfError> errors = [];
        string[] lines = text.TrimStart('\uFEFF').Split('\n');
        bool quoteLeftOpen = false;
        for (int index = 0; index < lines.Length; index++)
        {
            ConfLine line = new(lines[index], index + 1, nameIsSafe: !quoteLeftOpen);
            ConfEntry? entry = line.Read();
            quoteLeftOpen = line.QuoteLeftOpen;
            if (entry is not null)
                entries.Add(entry);
            if (line.Error is not { } error)
                continue;

            errors.Add(new ConfError(index + 1, error));
            if (errors.Count == MaxErrors)
            {
                errors.Add(new ConfError(index + 1, "too many errors, the rest of the file is not read"));
                break;
            }
        }

        return new ConfText(entries, errors);
    }

    /// <summary>A value in quotes, as it has to stand in a file to be read back unchanged.</summary>
    public static string Quote(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        StringBuilder quoted = new("'", value.Length + 2);
        foreach (char letter in value)
        {
            _ = letter switch
            {
                '\'' => quoted.Append("''"),
                '\\' => quoted.Append(@"\\"),
                '\n' => quoted.Append(@"\n"),
                '\r' => quoted.Append(@"\r"),
                _ => quoted.Append(letter),
            };
        }

        return quoted.Append('\'').ToString();
    }
}

/// <summary>What stands in one file.</summary>
public sealed record ConfText(IReadOnlyList<ConfEntry> Entries, IReadOnlyList<ConfError> Errors);

/// <summary>What is wrong on a line.</summary>
/// <param name="Line">Counted from 1.</param>
/// <param name="Message">Lower case, no full stop, without any value.</param>
public sealed record ConfError(int Line, string Message);

/// <summary>What a line says.</summary>
/// <param name="Line">Counted from 1.</param>
public abstract record ConfEntry(int Line)
{
    /// <summary>A setting gets a value.</summary>
    /// <param name="Line">Counted from 1.</param>
    /// <param name="Name">As written.</param>
    /// <param name="Value">Without quotes and escapes.</param>
    /// <param name="Loose">It had to be read as repmgr 1.x read lines.</param>
    public sealed record Assignment(int Line, string Name, string Value, bool Loose = false) : ConfEntry(Line);

    /// <summary>Another file is to be read here, or all of a directory.</summary>
    public sealed record Include(int Line, IncludeKind Kind, string Path) : ConfEntry(Line);
}

/// <summary>The three ways to include.</summary>
public enum IncludeKind
{
    /// <summary><c>include</c>: the file has to exist.</summary>
    File,

    /// <summary><c>include_if_exists</c></summary>
    FileIfExists,

    /// <summary><c>include_dir</c>: all files of the directory named <c>*.conf</c>, in order of their names.</summary>
    Directory,
}

using System.Buffers;
using System.Text;

namespace Repmgr.Core.Settings;

/// <summary>Reads one line of a configuration file. Used once.</summary>
/// <param name="text">The line.</param>
/// <param name="number">Its number.</param>
/// <param name="nameIsSafe">
/// Whether an error may repeat the first word. Not so after a line whose quote was left open: what follows may be the rest of a value.
/// </param>
internal sealed class ConfLine(string text, int number, bool nameIsSafe)
{
    private int _at;

    /// <summary>What is wrong, or null.</summary>
    public string? Error { get; private set; }

    /// <summary>A quoted value does not end on this line.</summary>
    public bool QuoteLeftOpen { get; private set; }

    private bool AtEnd => _at >= text.Length;

    /// <summary>What the line says; null when it says nothing, or when there is an <see cref="Error"/>.</summary>
    public ConfEntry? Read()
    {
        SkipBlanks();
        if (AtEnd || text[_at] == '#')
            return null;

        string? name = ReadName();
        if (name is null)
            return Fail("a line must begin with the name of a setting");

        SkipBlanks();
        bool hasEquals = !AtEnd && text[_at] == '=';
        if (hasEquals)
            _at++;
        SkipBlanks();

        int valueStart = _at;
        string? value = ReadValue(name);
        if (value is not null)
        {
            SkipBlanks();
            if (AtEnd || text[_at] == '#')
                return Entry(name, value, loose: false);
        }

        if (hasEquals && LooseValue(valueStart) is { } loose)
            return Entry(name, loose, loose: true);

        return Error is null ? Fail($"unexpected text after the value of {Quoted(name)}; a value that is not a simple word must be in single quotes") : null;
    }

    private ConfEntry? Entry(string name, string value, bool loose)
    {
        Error = null;
        if (value.Contains('\0', StringComparison.Ordinal))
            return Fail($"the value of {Quoted(name)} has a NUL character");

        IncludeKind? kind = name.ToLowerInvariant() switch
        {
            "include" => IncludeKind.File,
            "include_if_exists" => IncludeKind.FileIfExists,
            "include_dir" => IncludeKind.Directory,
            _ => null,
        };
        if (kind is null)
            return new ConfEntry.Assignment(number, name, value, loose);

        return value.Length > 0 ? new ConfEntry.Include(number, kind.Value, value) : Fail($"{Quoted(name)} needs the name of a file or directory");
    }

    /// <summary>A letter, then letters, digits and underscores; with one dot inside, as PostgreSQL has it for extensions' settings.</summary>
    private string? ReadName()
    {
        int start = _at;
        if (!IsLetter(text[_at]))
            return null;

        while (!AtEnd && (IsLetter(text[_at]) || char.IsAsciiDigit(text[_at]) || (text[_at] == '.' && _at + 1 < text.Length && IsLetter(text[_at + 1]))))
            _at++;
        return text[start.._at];
    }

    private string? ReadValue(string name)
    {
        if (AtEnd || text[_at] == '#')
        {
            Fail($"{Quoted(name)} has no value");
            return null;
        }

        if (text[_at] == '\'')
            return ReadQuoted(name);

        // A word, or a number with a sign, a point and a unit.
        int start = _at;
        if (!IsLetter(text[_at]) && !char.IsAsciiDigit(text[_at]) && text[_at] is not ('-' or '+' or '.'))
            return null;

        while (!AtEnd && (IsLetter(text[_at]) || char.IsAsciiDigit(text[_at]) || text[_at] is '-' or '+' or '.' or '_' or ':' or '/'))
            _at++;
        return text[start.._at];
    }

    private string? ReadQuoted(string name)
    {
        // In bytes, because octal escapes are bytes: \303\244 is one letter.
        ArrayBufferWriter<byte> value = new();
        for (_at++; !AtEnd; _at++)
        {
            switch (text[_at])
            {
                case '\'' when _at + 1 < text.Length && text[_at + 1] == '\'':
                    value.Write("'"u8);
                    _at++;
                    break;
                case '\'':
                    _at++;
                    return Encoding.UTF8.GetString(value.WrittenSpan);
                case '\\' when _at + 1 < text.Length:
                    _at++;
                    ReadEscape(value);
                    break;
                default:
                    AppendLetter(value);
                    break;
            }
        }

        QuoteLeftOpen = true;
        Fail($"the quoted value of {Quoted(name)} does not end on its line");
        return null;
    }

    /// <summary>Appends what a backslash and the characters from here stand for; afterwards the position is on the last of them.</summary>
    private void ReadEscape(ArrayBufferWriter<byte> value)
    {
        switch (text[_at])
        {
            case 'b':
                value.Write("\b"u8);
                break;
            case 'f':
                value.Write("\f"u8);
                break;
            case 'n':
                value.Write("\n"u8);
                break;
            case 'r':
                value.Write("\r"u8);
                break;
            case 't':
                value.Write("\t"u8);
                break;
            case >= '0' and <= '7':
                int code = 0;
                int end = Math.Min(_at + 3, text.Length);
                for (; _at < end && text[_at] is >= '0' and <= '7'; _at++)
                    code = (code * 8) + (text[_at] - '0');
                _at--;
                value.Write([(byte)code]);
                break;
            default:
                AppendLetter(value);
                break;
        }
    }

    /// <summary>Appends the character here, which may be half of a pair of surrogates.</summary>
    private void AppendLetter(ArrayBufferWriter<byte> value)
    {
        int length = char.IsHighSurrogate(text[_at]) && _at + 1 < text.Length && char.IsLowSurrogate(text[_at + 1]) ? 2 : 1;
        Encoding.UTF8.GetBytes(text.AsSpan(_at, length), value);
        _at += length - 1;
    }

    private string? LooseValue(int start)
    {
        string value = text[start..].Trim();
        return value.Length > 0 && !value.AsSpan().ContainsAny('\'', '#') ? value : null;
    }

    private ConfEntry? Fail(string message)
    {
        Error = message;
        return null;
    }

    private string Quoted(string name) => nameIsSafe ? $"\"{name}\"" : "a setting";

    private void SkipBlanks()
    {
        while (!AtEnd && text[_at] is ' ' or '\t' or '\r' or '\f' or '\v')
            _at++;
    }

    /// <summary>As in PostgreSQL, all beyond ASCII is a letter, except a byte order mark, which may only begin a file.</summary>
    private static bool IsLetter(char letter) => char.IsAsciiLetter(letter) || letter is '_' or (>= '\u0080' and not '\uFEFF');
}

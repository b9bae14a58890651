using System.Text;

namespace Repmgr.Tests.CommandLine.Documents;

/// <summary>Writes a manual page in the man macros: https://man7.org/linux/man-pages/man7/man.7.html</summary>
internal sealed class Roff
{
    private readonly StringBuilder _text = new();

    /// <param name="name">The page: <c>repmgr-standby-clone</c>.</param>
    /// <param name="section">Its section of the manual.</param>
    /// <param name="summary">A clause in lower case.</param>
    public Roff(string name, int section, string summary)
    {
        // No date: the page changes with the program, not with the day.
        Line(".\\\" Written by the test suite from the command table: make docs");
        Line($".TH {name.ToUpperInvariant().Replace("-", "\\-", StringComparison.Ordinal)} {section} \"\" \"repmgr {Engine.ProductVersion.Text}\" \"repmgr manual\"");
        Section("NAME");
        Line($"{Escape(name)} \\- {Escape(summary)}");
    }

    public Roff Section(string title)
    {
        Line($".SH {title}");
        return this;
    }

    public Roff Paragraph(string text)
    {
        Line(".PP");
        return Text(text);
    }

    public Roff Text(string text)
    {
        Line(Escape(text));
        return this;
    }

    /// <summary>A term and what it means.</summary>
    public Roff Entry(string term, string meaning)
    {
        Line(".TP");
        Line($"\\fB{Escape(term)}\\fR");
        return Text(meaning);
    }

    public Roff Bullet(string text)
    {
        Line(".IP \\(bu 2");
        return Text(text);
    }

    /// <summary>What is typed, and what it does.</summary>
    public Roff Example(string says, string line)
    {
        Paragraph(says);
        Line(".RS 4");
        Line(".nf");
        Line(Escape(line));
        Line(".fi");
        Line(".RE");
        return this;
    }

    /// <summary>How the program is called.</summary>
    public Roff Synopsis(string program, string rest)
    {
        Line($".B {Escape(program)}");
        Line(Escape(rest));
        return this;
    }

    public override string ToString() => _text.ToString();

    // A hyphen that is typed must stay one; a dot or quote that begins a line would be a request.
    private static string Escape(string text)
    {
        string escaped = text.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal);
        return escaped is ['.' or '\'', ..] ? "\\&" + escaped : escaped;
    }

    private void Line(string text) => _text.Append(text).Append('\n');
}

using System.Text;

namespace Repmgr.Core.Cluster;

/// <summary>
/// A command of the operator's that a shell runs, with placeholders filled in: <c>event_notification_command</c>, <c>follow_command</c>
/// and their kind.
/// </summary>
/// <remarks>
/// Values never become part of the shell's text, where a detail such as <c>$(reboot)</c> or a node name with a quote would be
/// run. A placeholder turns into a reference to an environment variable, and a shell does not parse again what a variable
/// expands to. Which quotes stand around the placeholder only decides how the reference must be written to stay one word.
/// </remarks>
/// <param name="Script">For <c>/bin/sh -c</c>.</param>
/// <param name="Environment">What the script needs to be set.</param>
public sealed record HookCommand(string Script, IReadOnlyDictionary<string, string> Environment)
{
    /// <summary>Fills in the placeholders of a template.</summary>
    /// <param name="template">As it stands in the configuration. <c>%%</c> is a percent sign; an unknown placeholder is left as it is.</param>
    /// <param name="values">By placeholder letter. One that is null or empty expands to nothing.</param>
    public static HookCommand Compose(string template, IReadOnlyDictionary<char, HookValue> values)
    {
        Dictionary<string, string> environment = new(StringComparer.Ordinal);
        foreach (HookValue value in values.Values)
            environment[value.Variable] = Sendable(value.Text);

        StringBuilder script = new(template.Length + 64);
        ShellQuotes quotes = new();
        for (int at = 0; at < template.Length; at++)
        {
            char c = template[at];
            char next = at + 1 < template.Length ? template[at + 1] : '\0';
            if (c == '\\' && !quotes.InSingle && next != '\0')
            {
                script.Append(c).Append(next);
                at++;
            }
            else if (c == '%' && next == '%')
            {
                script.Append('%');
                at++;
            }
            else if (c == '%' && values.TryGetValue(next, out HookValue? value))
            {
                if (environment[value.Variable].Length > 0)
                    script.Append(quotes.Reference(value.Variable));

                at++;
            }
            else
            {
                script.Append(c);
                quotes.Read(c, previous: at > 0 ? template[at - 1] : '\0');
            }
        }

        return new HookCommand(script.ToString(), environment);
    }

    // The operating system ends a variable's value at a NUL.
    private static string Sendable(string? text) => text?.Replace("\0", "", StringComparison.Ordinal) ?? "";

    /// <summary>Follows the quotes and command substitutions of a shell script from its beginning.</summary>
    private sealed class ShellQuotes
    {
        // What is open, innermost last: a quote, a backtick or a parenthesis.
        private readonly Stack<char> _open = new();

        public bool InSingle => Innermost == '\'';

        private char Innermost => _open.TryPeek(out char open) ? open : '\0';

        public string Reference(string variable) => Innermost switch
        {
            '\'' => $"'\"${{{variable}}}\"'",
            '"' => $"${{{variable}}}",
            _ => $"\"${{{variable}}}\"",
        };

        public void Read(char c, char previous)
        {
            switch (Innermost, c)
            {
                case ('\'', '\'') or ('"', '"') or ('`', '`') or ('(', ')'):
                    _open.Pop();
                    break;
                case ('\'', _):
                case ('"', '\''):
                case ('"', '(') when previous != '$':
                    break;
                case (_, '\'' or '"' or '`' or '('):
                    _open.Push(c);
                    break;
            }
        }
    }
}

/// <summary>What a placeholder stands for.</summary>
/// <param name="Variable">The environment variable that carries it; the script may use it as well: <c>REPMGR_NODE_ID</c>.</param>
/// <param name="Text">The value; null: not available.</param>
public sealed record HookValue(string Variable, string? Text);

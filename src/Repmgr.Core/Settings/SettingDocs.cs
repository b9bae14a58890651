using System.Text;

namespace Repmgr.Core.Settings;

/// <summary>The manual's chapter on <c>repmgr.conf</c> and the sample file, out of <see cref="SettingTable"/>.</summary>
public static class SettingDocs
{
    private static readonly (SettingGroup Group, string Title)[] Chapters =
    [
        (SettingGroup.Node, "The node"),
        (SettingGroup.Replication, "Replication"),
        (SettingGroup.Logging, "Logging"),
        (SettingGroup.Events, "Events"),
        (SettingGroup.Programs, "Programs"),
        (SettingGroup.Cloning, "Cloning"),
        (SettingGroup.Promoting, "Promoting and following"),
        (SettingGroup.Switchover, "Switchover and rejoin"),
        (SettingGroup.Checks, "Checks"),
        (SettingGroup.Daemon, "repmgrd"),
        (SettingGroup.Failover, "Automatic failover"),
        (SettingGroup.Children, "Child nodes"),
        (SettingGroup.ServiceCommands, "Service commands"),
    ];

    /// <summary>The reference of all settings, as Markdown.</summary>
    public static string Reference()
    {
        StringBuilder text = new();
        foreach ((SettingGroup group, string title) in Chapters)
        {
            text.Append("## ").Append(title).Append("\n\n");
            foreach (Setting setting in SettingTable.All.Where(setting => setting.Group == group))
                Entry(text, setting);
        }

        return text.ToString().TrimEnd('\n') + "\n";
    }

    /// <summary>A configuration file with every setting, its meaning and its default, all of it commented out.</summary>
    public static string Sample()
    {
        StringBuilder text = new();
        text.Append(
            """
            # repmgr.conf
            #
            # The grammar is that of postgresql.conf: name = 'value', "#" begins a comment,
            # include, include_if_exists and include_dir read other files.
            # "repmgr --dump-config" shows each value and where it comes from.
            #
            # Three lines are enough, for instance:
            #
            #node_id = 1
            #cluster = test
            #conninfo = 'host=node1 user=repmgr dbname=repmgr'
            #
            # All the rest has a default, which stands here, or is found out.

            """);
        foreach ((SettingGroup group, string title) in Chapters)
        {
            text.Append("\n# --- ").Append(title).Append(" ---\n");
            foreach (Setting setting in SettingTable.All.Where(setting => setting.Group == group && setting.Retired is null))
            {
                text.Append('\n');
                foreach (string line in Wrapped(setting.Description + Effect(setting), width: 98))
                    text.Append("# ").Append(line).Append('\n');
                text.Append('#').Append(setting.Name).Append(" = ").Append(Written(setting.Default ?? Example(setting))).Append('\n');
            }
        }

        return text.ToString();
    }

    private static void Entry(StringBuilder text, Setting setting)
    {
        text.Append("### ").Append(setting.Name).Append("\n\n").Append(Escaped(setting.Description)).Append("\n\n");
        if (setting.Retired is { } retired)
        {
            text.Append("Accepted with a warning, without effect. ").Append(Escaped(retired)).Append("\n\n");
            return;
        }

        text.Append("- Type: ").Append(setting.TypeName).Append(", ").Append(Escaped(setting.Allowed))
            .Append(setting.Unit is { } unit && !setting.Allowed.Contains(unit, StringComparison.Ordinal) ? $", in {unit}" : "").Append('\n');
        text.Append("- Default: ").Append(setting.Default is { } value ? $"`{value}`" : "none").Append('\n');
        text.Append("- Since: ").Append(Since(setting)).Append('\n');
        text.Append("- A change takes effect: ").Append(When(setting.TakesEffect)).Append('\n');
        if (setting.Aliases.Count > 0)
            text.Append("- Also written: ").Append(string.Join(", ", setting.Aliases.Select(alias => $"`{alias}`"))).Append('\n');
        if (setting.Accumulates)
            text.Append("- May be given several times; the values add up.\n");
        if (setting.Pending is { } feature)
            text.Append("- No effect yet: ").Append(feature).Append(" is not in this version. The key is accepted with a notice.\n");
        if (setting.WithAgents is { } instead)
            text.Append("- With failover = automatic it decides nothing about a failover: ").Append(instead).Append(". It is accepted with a notice.\n");
        if (setting.Replaced is { } replaced)
            text.Append("- No effect any more: since repmgr 6 ").Append(replaced).Append(". The key is accepted with a notice.\n");
        text.Append('\n');
    }

    private static string Example(Setting setting) => setting.Name switch
    {
        "node_id" => "1",
        "cluster" => "test",
        "conninfo" => "host=node1 user=repmgr dbname=repmgr",
        _ => "",
    };

    /// <summary>In quotes, unless it is a word or a number.</summary>
    private static string Written(string value) =>
        value.Length > 0 && value.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '_') ? value : ConfSyntax.Quote(value);

    private static string Since(Setting setting) => setting.Since switch
    {
        Generation.One => "repmgr 1",
        Generation.Two => "repmgr 2",
        Generation.Five => "repmgr 3 to 5",
        _ => "repmgr 6",
    };

    private static string When(TakesEffect effect) => effect switch
    {
        TakesEffect.AtNextCommand => "with the next command",
        TakesEffect.OnReload => "when repmgrd gets SIGHUP, and with the next command",
        TakesEffect.AtRestart => "when repmgrd is restarted",
        TakesEffect.AtRegistration => "with `repmgr primary register --force` or `repmgr standby register --force`",
        _ => "never in a running repmgrd: it is the identity of the node",
    };

    private static string Effect(Setting setting) => setting switch
    {
        { Pending: { } feature } => $" No effect yet: {feature} is not in this version.",
        { Replaced: { } replaced } => $" No effect any more: since repmgr 6 {replaced}.",
        _ => "",
    };

    private static string Escaped(string text) =>
        text.Replace("<", "\\<", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal).Replace("*", "\\*", StringComparison.Ordinal);

    private static IEnumerable<string> Wrapped(string text, int width)
    {
        StringBuilder line = new();
        foreach (string word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line.ToString();
                line.Clear();
            }

            line.Append(line.Length > 0 ? " " : "").Append(word);
        }

        yield return line.ToString();
    }
}

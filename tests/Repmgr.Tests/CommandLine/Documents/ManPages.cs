using Repmgr.Core.CommandLine;
using Repmgr.Core.Settings;

namespace Repmgr.Tests.CommandLine.Documents;

/// <summary>The manual: <c>docs/man</c>.</summary>
internal static class ManPages
{
    /// <summary>File name and text of every page.</summary>
    public static IEnumerable<(string File, string Text)> All =>
    [
        ("repmgr.1", Overview()),
        .. Pages.WithPage.Select(page => (File(page.Table, page.Command), Of(page.Table, page.Command))),
        ("repmgr.conf.5", Configuration()),
    ];

    private static string File(CommandTable table, CommandDefinition command) =>
        $"{Pages.ManPage(table, command)}.{(table == CommandTable.Repmgrd ? 8 : 1)}";

    private static string Overview()
    {
        CommandTable table = CommandTable.Repmgr;
        Roff page = new Roff("repmgr", 1, "manage PostgreSQL replication clusters")
            .Section("SYNOPSIS").Synopsis("repmgr", "[OPTION]... COMMAND [OPTION]...")
            .Paragraph("repmgr --dump-config [OPTION]...")
            .Section("DESCRIPTION")
            .Text("repmgr does one thing on the node it runs on, and ends: it clones a standby, registers nodes, shows the cluster, promotes a standby or makes it follow another node. It needs no extension in the server and, unless rsync is used, no ssh between the hosts.")
            .Section("COMMANDS");
        foreach (CommandDefinition command in table.Available.Where(command => command.Words.Length > 0))
            page.Entry(command.Argument is { } argument ? $"{command.Words} [{argument.ToUpperInvariant()}]" : command.Words, $"{command.Summary}; see {Pages.ManPage(table, command)}(1)");

        page.Section("OPTIONS");
        page.Text("Every command takes these.");
        Options(page, table.Common, null);
        page.Paragraph("One option stands instead of a command.");
        Options(page, [Opt.DumpConfig], null);
        foreach ((string title, string[] paragraphs) in Pages.Invocation)
        {
            page.Section(title.ToUpperInvariant());
            foreach (string paragraph in paragraphs)
                page.Paragraph(paragraph);
        }

        page.Section("ENVIRONMENT")
            .Entry("PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSFILE, ...", "Connections take what libpq takes from the environment.")
            .Entry("REPMGR_RUNNING", "Set by repmgr for the programs it starts, so that a command which is called from within itself stops instead of going round for ever.");
        page.Section("EXIT STATUS").Text("0 when the command did what was asked, 1 when the command line or the configuration is wrong or a prerequisite is missing. The page of each command lists the others.");
        page.Section("FILES").Entry("repmgr.conf", "The configuration file: the one named by --config-file, else the first of ./repmgr.conf, /etc/repmgr.conf, /etc/repmgr/repmgr.conf and repmgr.conf beside the program. See repmgr.conf(5).");
        return page.Section("SEE ALSO").Text("repmgr.conf(5), repmgrd(8), " + string.Join(", ", table.Available.Where(command => command.Words.Length > 0).Select(command => $"{Pages.ManPage(table, command)}(1)"))).ToString();
    }

    private static string Of(CommandTable table, CommandDefinition command)
    {
        int section = table == CommandTable.Repmgrd ? 8 : 1;
        string usage = HelpText.Usage(table, command);
        int split = usage.IndexOf(" [", StringComparison.Ordinal);
        var page = new Roff(Pages.ManPage(table, command), section, command.Summary);
        page.Section("SYNOPSIS").Synopsis(usage[..split], usage[(split + 1)..]);
        page.Section("DESCRIPTION");
        foreach (string paragraph in command.Description)
            page.Paragraph(paragraph);
        page.Section("REQUIREMENTS");
        foreach (string need in command.Needs)
            page.Bullet(need);
        page.Section("OPTIONS");
        Options(page, command.Options, command);
        page.Paragraph("Every command takes these.");
        Options(page, table.Common, null);
        page.Section("EXIT STATUS");
        foreach ((int code, string when) in Pages.ExitCodes(command))
            page.Entry($"{code}", when);
        page.Section("EXAMPLES");
        foreach ((string line, string says) in command.Examples)
            page.Example(says, line);
        return page.Section("SEE ALSO").Text(section == 8 ? "repmgr(1), repmgr.conf(5)" : "repmgr(1), repmgr.conf(5), repmgrd(8)").ToString();
    }

    private static void Options(Roff page, IEnumerable<OptionDefinition> options, CommandDefinition? command)
    {
        foreach (OptionDefinition option in options)
            page.Entry(HelpText.Spelling(option), HelpText.Meaning(option, command));
    }

    private static string Configuration()
    {
        Roff page = new Roff("repmgr.conf", 5, "configuration file of repmgr and repmgrd")
            .Section("DESCRIPTION")
            .Text("One setting a line: a name, an equals sign that may be left out, and a value, in single quotes where it is more than a simple word or number. A quote inside is doubled or follows a backslash. # begins a comment. include 'file', include_if_exists 'file' and include_dir 'directory' read other files. Where a setting stands twice, the last one counts.")
            .Paragraph("Three settings are enough: node_id (or node), cluster and conninfo. repmgr --dump-config shows every value in force and where it was set.")
            .Section("SETTINGS");
        foreach (Setting setting in SettingTable.All.Where(setting => setting.Retired is null))
        {
            page.Entry($"{setting.Name} ({setting.TypeName})", setting.Description);
            page.Text($"Allowed: {setting.Allowed}." + (setting.Default is { Length: > 0 } value ? $" Default: {value}{(setting.Unit is { } unit ? $" {unit}" : "")}." : ""));
            if (setting.Aliases.Count > 0)
                page.Text($"Also called {string.Join(", ", setting.Aliases)}.");
            if (setting.Pending is { } feature)
                page.Text($"Accepted, but without effect yet: it belongs to {feature}.");
        }

        page.Section("SETTINGS WITHOUT EFFECT");
        foreach (Setting setting in SettingTable.All.Where(setting => setting.Retired is not null))
            page.Entry(setting.Name, setting.Retired!);
        return page.Section("SEE ALSO").Text("repmgr(1), repmgrd(8)").ToString();
    }
}

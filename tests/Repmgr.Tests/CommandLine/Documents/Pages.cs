using Repmgr.Core.CommandLine;

namespace Repmgr.Tests.CommandLine.Documents;

/// <summary>Where each command is written about.</summary>
internal static class Pages
{
    /// <summary>What holds for both programs whatever the command: said once, in the overview of each form.</summary>
    public static readonly (string Title, string[] Paragraphs)[] Invocation =
    [
        ("Invocation",
        [
            "Options may stand before, between or after the words of a command, and a letter's value may be attached or be the next word: -h node1 and -hnode1 are the same. Letters may be joined: -vF. After -- everything is a word. In the long name of an option an underscore counts as a dash: --config_file is --config-file.",
            "Commands are written in any case, and master stands for primary. The names that repmgr 1.x had for options are understood: --data-dir and --dest-dir for --pgdata, --wal-keep-segments, --ignore-rsync-warning.",
            "The letter -w has the meanings of both generations. In standby clone it takes a number: the least number of WAL segments that the source must keep. Elsewhere it waits: -w without a limit of its own, -w30 or --wait=30 for thirty seconds.",
            "Everything that is wrong with a command line is said at once. An option that the command does not take is an error, and the message names the commands that take it.",
        ]),
        ("Output",
        [
            "Results go to standard output. Everything else goes to standard error, as lines of the form LEVEL: text, where the level is one of DEBUG, INFO, NOTICE, WARNING, ERROR, ALERT, CRIT and EMERG; details and hints follow as DETAIL: and HINT: lines. --terse leaves those out, --quiet leaves only errors, --log-level sets the least level. --dry-run and --verbose show INFO at least.",
            "With --json there is exactly one JSON document on standard output, whether the command succeeds or fails. Where a command has no result of its own, it is a report: command, success, exit_code, dry_run, steps (each with its step, outcome and note) and messages (each with its level, message, detail and hint).",
        ]),
    ];

    public static string ManPage(CommandTable table, CommandDefinition command) => string.Join('-', [table.Program, .. Words(command)]);

    public static string MarkdownFile(CommandTable table, CommandDefinition command) =>
        command.Words.Length == 0 ? $"{table.Program}.md" : $"{string.Join('-', Words(command))}.md";

    /// <summary>The commands that have a page: those of this version that are called by words, or by the program's name alone.</summary>
    public static IEnumerable<(CommandTable Table, CommandDefinition Command)> WithPage =>
        ((CommandTable[])[CommandTable.Repmgr, CommandTable.Repmgrd])
            .SelectMany(table => table.Available.Where(command => command.Name != CommandName.DumpConfig).Select(command => (table, command)));

    /// <summary>The exit codes of a command with those that every command has.</summary>
    public static IEnumerable<(int Code, string When)> ExitCodes(CommandDefinition command) =>
    [
        (0, "done"),
        (1, "the command line or the configuration is wrong, or something stands in the way"),
        .. command.ExitCodes.Select(code => ((int)code.Code, code.When)),
        (15, "a defect of this program"),
    ];

    private static string[] Words(CommandDefinition command) => command.Words.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}

using System.Text;
using Repmgr.Core.CommandLine;

namespace Repmgr.Tests.CommandLine.Documents;

/// <summary>Completion for zsh, with what each option does: <c>packaging/completions/zsh</c>.</summary>
internal static class ZshCompletion
{
    public static string Of(CommandTable table)
    {
        var text = new StringBuilder();
        text.Append($"#compdef {table.Program}\n# Written by the test suite from the command table: make docs\n\n");
        text.Append($"_{table.Program}() {{\n  local curcontext=$curcontext state line\n  local -a common words_of\n  local -A opt_args\n");
        text.Append("  common=(\n");
        foreach (OptionDefinition option in table.Common)
            text.Append($"    {Spec(option, null)}\n");
        text.Append("  )\n");
        if (table.Commands is [{ Words: "" } only])
        {
            text.Append("  _arguments -s -S $common \\\n");
            Options(text, only, "    ");
            text.Append($"}}\n\n_{table.Program} \"$@\"\n");
            return text.ToString();
        }

        text.Append("""
              # The words so far that are no options decide what can follow.
              local word object='' action=''
              for word in ${words[2,CURRENT-1]}; do
                case ${word:l} in

            """);
        string[] objects = [.. table.Available.Where(command => command.Words.Length > 0).Select(command => command.Words.Split(' ')[0]).Distinct()];
        text.Append($"      {string.Join('|', objects)}) [[ -z $object ]] && object=${{word:l}} ;;\n");
        text.Append("      master) [[ -z $object ]] && object=primary ;;\n");
        text.Append($"      {string.Join('|', table.Available.Where(command => command.Words.Length > 0).Select(command => command.Words.Split(' ')[1]).Distinct())}) [[ -n $object && -z $action ]] && action=${{word:l}} ;;\n");
        text.Append("    esac\n  done\n\n  case \"$object $action\" in\n");
        foreach (CommandDefinition command in table.Available.Where(command => command.Words.Length > 0))
        {
            text.Append($"    '{command.Words}')\n      _arguments -s -S $common '1: : ' '2: : ' {(command.Argument is { } argument ? $"'3:{argument}:_hosts' " : "")}\\\n");
            Options(text, command, "        ");
            text.Append("      ;;\n");
        }

        foreach (string subject in objects)
        {
            text.Append($"    '{subject} ')\n      words_of=({string.Join(' ', table.Available.Where(command => command.Words.StartsWith($"{subject} ", StringComparison.Ordinal)).Select(command => Quoted($"{command.Words[(subject.Length + 1)..]}:{command.Summary}")))})\n");
            text.Append("      _arguments -s -S $common '1: : ' '2:action:->rest'\n      [[ $state = rest ]] && _describe action words_of\n      ;;\n");
        }

        text.Append($"    *)\n      words_of=({string.Join(' ', objects.Select(subject => Quoted($"{subject}:commands on a {subject}")))} 'master:the same as primary')\n");
        text.Append($"      _arguments -s -S $common {Spec(Opt.DumpConfig, null)} '1:command:->rest'\n      [[ $state = rest ]] && _describe command words_of\n      ;;\n  esac\n");
        text.Append($"}}\n\n_{table.Program} \"$@\"\n");
        return text.ToString();
    }

    private static void Options(StringBuilder text, CommandDefinition command, string indent) =>
        text.AppendJoin(" \\\n", command.Options.Where(option => option.Deprecated is null).Select(option => $"{indent}{Spec(option, command)}")).Append('\n');

    /// <summary><c>'(-h --host)'{-h+,--host=}'[server to connect to]:HOST:_hosts'</c></summary>
    private static string Spec(OptionDefinition option, CommandDefinition? command)
    {
        string value = option switch
        {
            { TakesValue: false } => "",
            { ValueIsOptional: true } => $"::{option.Value.Placeholder}:{Action(option)}",
            _ => $":{option.Value.Placeholder}:{Action(option)}",
        };
        string attach = option.TakesValue ? (option.ValueIsOptional ? "=-" : "=") : "";
        string meaning = (command?.MeaningOf(option) ?? option.Summary).Replace("[", "\\[", StringComparison.Ordinal).Replace("]", "\\]", StringComparison.Ordinal).Replace(":", "\\:", StringComparison.Ordinal);
        string tail = Quoted($"[{meaning}]{value}");
        if (option.Short is not { } letter)
            return $"--{option.Name}{attach}{tail}";

        string shortAttach = option.TakesValue ? (option.ValueIsOptional ? "-" : "+") : "";
        return $"'(-{letter} --{option.Name})'{{'-{letter}{shortAttach}',--{option.Name}{attach}}}{tail}";
    }

    private static string Action(OptionDefinition option) => option.Value switch
    {
        OptionValue.Choice choice => $"({string.Join(' ', choice.Words)})",
        OptionValue.Text { Completion: Completion.File } => "_files",
        OptionValue.Text { Completion: Completion.Directory } => "_files -/",
        OptionValue.Text { Completion: Completion.Host } => "_hosts",
        OptionValue.Text { Completion: Completion.User } => "_users",
        _ => " ",
    };

    private static string Quoted(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}

using System.Text;
using Repmgr.Core.CommandLine;

namespace Repmgr.Tests.CommandLine.Documents;

/// <summary>Completion for bash: <c>packaging/completions/bash</c>. It needs no bash-completion package.</summary>
internal static class BashCompletion
{
    public static string Of(CommandTable table)
    {
        var text = new StringBuilder();
        text.Append($"# bash completion for {table.Program}. Written by the test suite from the command table: make docs\n");
        text.Append("# shellcheck shell=bash\n\n");
        text.Append($"_{table.Program}() {{\n");
        text.Append("""
              local current previous command options
              current=${COMP_WORDS[COMP_CWORD]}
              previous=${COMP_WORDS[COMP_CWORD-1]}
              COMPREPLY=()
              # bash cuts --option=value into three words.
              if [ "$current" = '=' ]; then current=''; fi
              if [ "$previous" = '=' ] && [ "$COMP_CWORD" -ge 2 ]; then previous=${COMP_WORDS[COMP_CWORD-2]}; fi


            """);
        Values(text, table);
        Words(text, table);
        text.Append("  case $command in\n");
        foreach (CommandDefinition command in table.Available.Where(command => command.Name != CommandName.DumpConfig))
            text.Append($"    '{command.Words}') options='{Names(command.Options.Where(option => option.Deprecated is null))}' ;;\n");
        if (table.Commands.Count > 1)
            Objects(text, table);
        text.Append("  esac\n");
        text.Append($"  mapfile -t COMPREPLY < <(compgen -W \"$options {Names(table.Common)}\" -- \"$current\")\n");
        text.Append($"}}\ncomplete -F _{table.Program} {table.Program}\n");
        return text.ToString();
    }

    private static void Values(StringBuilder text, CommandTable table)
    {
        text.Append("  case $previous in\n");
        foreach (OptionDefinition option in Listed(table).Where(option => option.TakesValue))
        {
            string? offer = option.Value switch
            {
                OptionValue.Choice choice => $"-W '{string.Join(' ', choice.Words)}'",
                OptionValue.Text { Completion: Completion.File } => "-f",
                OptionValue.Text { Completion: Completion.Directory } => "-d",
                OptionValue.Text { Completion: Completion.Host } => "-A hostname",
                OptionValue.Text { Completion: Completion.User } => "-u",
                _ => null,
            };
            // The value of an optional one is attached: the next word is not it.
            if (option.ValueIsOptional && offer is null)
                continue;
            string names = string.Join('|', option.Letters.Where(letter => Unambiguous(table, letter)).Select(letter => $"-{letter}").Concat(option.LongNames.Select(name => $"--{name}")));
            text.Append(offer is null ? $"    {names}) return ;;\n" : $"    {names}) mapfile -t COMPREPLY < <(compgen {offer} -- \"$current\"); return ;;\n");
        }

        text.Append("  esac\n");
    }

    private static void Words(StringBuilder text, CommandTable table)
    {
        if (table.Commands.Count == 1)
        {
            text.Append("  command='' options=''\n");
            return;
        }

        string takers = string.Join('|', Listed(table).Where(option => option is { TakesValue: true, ValueIsOptional: false })
            .SelectMany(option => option.Letters.Where(letter => Unambiguous(table, letter)).Select(letter => $"-{letter}").Concat(option.LongNames.Select(name => $"--{name}"))));
        text.Append($$"""
              # The words so far that are neither options nor their values.
              local index word words=''
              for ((index = 1; index < COMP_CWORD; index++)); do
                word=${COMP_WORDS[index]}
                case $word in
                  {{takers}}) index=$((index + 1)); [ "${COMP_WORDS[index]}" = '=' ] && index=$((index + 1)) ;;
                  -*|=) ;;
                  *) words="$words ${word,,}" ;;
                esac
              done
              command=${words# } options=''
              command=${command/#master/primary}


            """);
    }

    private static void Objects(StringBuilder text, CommandTable table)
    {
        string[] objects = [.. table.Available.Where(command => command.Words.Length > 0).Select(command => command.Words.Split(' ')[0]).Distinct()];
        foreach (string subject in objects)
            text.Append($"    '{subject}') options='{string.Join(' ', table.Available.Where(command => command.Words.StartsWith($"{subject} ", StringComparison.Ordinal)).Select(command => command.Words[(subject.Length + 1)..]))}' ;;\n");
        text.Append($"    '') options='{string.Join(' ', objects)} master --dump-config' ;;\n");
        foreach (CommandDefinition command in table.Available.Where(command => command.Argument is not null))
            text.Append($"    '{command.Words} '*) options='{Names(command.Options.Where(option => option.Deprecated is null))}' ;;\n");
    }

    private static IEnumerable<OptionDefinition> Listed(CommandTable table) => table.AllOptions.Where(option => !option.IsLater);

    private static bool Unambiguous(CommandTable table, char letter) => Listed(table).Count(option => option.Letters.Contains(letter)) == 1;

    private static string Names(IEnumerable<OptionDefinition> options) => string.Join(' ', options.Select(option => $"--{option.Name}"));
}

using Repmgr.Core.CommandLine;

namespace Repmgr.Tests.CommandLine;

/// <summary>What must hold of the table itself.</summary>
public sealed class CommandTableTests
{
    private static readonly CommandTable[] Tables = [CommandTable.Repmgr, CommandTable.Repmgrd];

    [Fact]
    public void No_command_takes_two_options_of_one_name_or_letter()
    {
        foreach (CommandTable table in Tables)
        {
            foreach (CommandDefinition command in table.Available)
            {
                OptionDefinition[] options = [.. table.OptionsOf(command)];
                Assert.Equal(options.Length, options.Distinct().Count());
                Assert.Equal([], Twice(options.SelectMany(option => option.LongNames)));
                Assert.Equal([], Twice(options.SelectMany(option => option.Letters)));
            }
        }
    }

    // The words are cut before the command is known.
    [Fact]
    public void A_long_name_takes_a_value_everywhere_or_nowhere()
    {
        foreach (CommandTable table in Tables)
            Assert.Equal([], Twice(table.AllOptions.SelectMany(option => option.LongNames)));
    }

    [Fact]
    public void Every_command_is_written_about()
    {
        foreach (CommandDefinition command in Tables.SelectMany(table => table.Available).Where(command => command.Name != CommandName.DumpConfig))
        {
            Assert.NotEmpty(command.Description);
            Assert.NotEmpty(command.Needs);
            Assert.NotEmpty(command.Examples);
            Assert.NotEmpty(command.ExitCodes);
        }
    }

    [Fact]
    public void Every_example_is_a_right_command_line_of_its_command()
    {
        foreach (CommandTable table in Tables)
        {
            foreach (CommandDefinition command in table.Available)
            {
                foreach ((string line, _) in command.Examples)
                    Assert.Equal(command, Assert.IsType<Invocation.Run>(CommandLineParser.Parse(line.Split(' ')[1..], table)).Command);
            }
        }
    }

    [Fact]
    public void A_meaning_of_its_own_is_of_an_option_that_the_command_takes()
    {
        foreach (CommandDefinition command in Tables.SelectMany(table => table.Available))
            Assert.Equal([], command.Meanings.Keys.Except(command.Options));
    }

    private static IEnumerable<T> Twice<T>(IEnumerable<T> items) => items.GroupBy(item => item).Where(group => group.Count() > 1).Select(group => group.Key);
}

using Repmgr.Cli.Output;

namespace Repmgr.Tests.Output;

public sealed class TextTableTests
{
    // The form of repmgr 5.x: scripts cut it at " | ".
    [Fact]
    public void A_table_has_the_form_of_repmgr_5()
    {
        var table = new TextTable("ID", "Name", "Role", "Status");
        table.Add("1", "node1", "primary", "* running");
        table.Add("2", "a-longer-name", "standby", "  running");

        Assert.Equal(
            """
             ID | Name          | Role    | Status   
            ----+---------------+---------+-----------
             1  | node1         | primary | * running
             2  | a-longer-name | standby |   running

            """,
            Written(table));
    }

    [Fact]
    public void A_table_without_rows_is_its_header() => Assert.Equal(" ID | Name\n----+------\n", Written(new TextTable("ID", "Name")));

    [Fact]
    public void Widths_are_counted_in_what_a_reader_sees()
    {
        var table = new TextTable("Name", "Role");
        table.Add("Zürich", "x"); // composed of a letter and a combining mark

        Assert.Equal(" Name   | Role\n--------+------\n Zürich | x   \n", Written(table));
    }

    [Fact]
    public void A_row_of_the_wrong_width_is_a_defect() => Assert.Throws<ArgumentException>(() => new TextTable("ID", "Name").Add("1"));

    private static string Written(TextTable table)
    {
        using var text = new StringWriter { NewLine = "\n" };
        table.Write(text);
        return text.ToString();
    }
}

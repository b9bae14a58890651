using Repmgr.Core.CommandLine;

namespace Repmgr.Tests.CommandLine;

public sealed class CommandLineParserTests
{
    [Theory]
    [InlineData("standby clone node1", CommandName.StandbyClone)]
    [InlineData("-D /data --force standby clone node1", CommandName.StandbyClone)]
    [InlineData("-f /etc/repmgr.conf --verbose master register", CommandName.PrimaryRegister)]
    [InlineData("MASTER Register", CommandName.PrimaryRegister)]
    [InlineData("-vFf /etc/repmgr.conf standby register", CommandName.StandbyRegister)]
    [InlineData("standby --dry-run promote -v", CommandName.StandbyPromote)]
    [InlineData("cluster events --limit=3", CommandName.ClusterEvent)]
    [InlineData("--dump-config -f x", CommandName.DumpConfig)]
    public void Verbs_are_found_wherever_options_stand(string line, CommandName expected) => Assert.Equal(expected, Run(line).Command.Name);

    [Theory]
    [InlineData("-D /d standby clone n")]
    [InlineData("--pgdata /d standby clone n")]
    [InlineData("--pgdata=/d standby clone n")]
    [InlineData("--data-dir=/d standby clone n")]
    [InlineData("--dest-dir /d standby clone n")]
    [InlineData("standby clone --dest_dir /d n")]
    [InlineData("standby clone -D/d n")]
    public void The_target_has_the_names_of_all_generations(string line)
    {
        CommandOptions options = Run(line).Options;
        Assert.Equal("/d", options.Pgdata);
        Assert.Equal("n", options.Argument);
    }

    [Theory]
    [InlineData("-w 500 standby clone n")]
    [InlineData("-w500 standby clone n")]
    [InlineData("standby clone n -w 500")]
    [InlineData("standby clone n --wal-keep-segments=500")]
    [InlineData("--wal_keep_segments 500 standby clone n")]
    public void The_letter_w_with_a_number_in_standby_clone_is_the_minimum_of_kept_segments(string line)
    {
        CommandOptions options = Run(line).Options;
        Assert.Equal(500, options.WalKeepSegments);
        Assert.False(options.Wait);
    }

    [Theory]
    [InlineData("standby follow -w", null)]
    [InlineData("-w standby follow", null)]
    [InlineData("standby follow -W", null)]
    [InlineData("standby follow --wait", null)]
    [InlineData("standby follow -w30", 30)]
    [InlineData("standby follow --wait=30", 30)]
    [InlineData("-w30 standby follow", 30)]
    public void The_letter_w_elsewhere_waits(string line, int? seconds)
    {
        CommandOptions options = Run(line).Options;
        Assert.True(options.Wait);
        Assert.Equal(seconds, (int?)options.WaitWithin?.TotalSeconds);
    }

    [Fact]
    public void Help_is_of_the_command_that_is_named()
    {
        Assert.Equal(CommandName.StandbyClone, Assert.IsType<Invocation.Help>(Parse("standby clone --help")).Command?.Name);
        Assert.Equal("standby", Assert.IsType<Invocation.Help>(Parse("standby -?")).Object);
        Assert.Null(Assert.IsType<Invocation.Help>(Parse("--help")).Object);
    }

    [Fact]
    public void After_two_dashes_everything_is_a_word() => Assert.Equal("-odd-", Run("standby clone -- -odd-").Options.Argument);

    private static Invocation.Run Run(string line) => Assert.IsType<Invocation.Run>(Parse(line));

    private static Invocation Parse(string line) => CommandLineParser.Parse(line.Split(' '), CommandTable.Repmgr);
}

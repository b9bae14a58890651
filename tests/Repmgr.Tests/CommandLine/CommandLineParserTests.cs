using CsCheck;
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

    // As they stand in the README of 2011.
    [Theory]
    [InlineData("-D /data -d pgbench -p 5432 -U repmgr -R postgres --verbose standby clone node1")]
    [InlineData("-f /var/lib/pgsql/repmgr/repmgr.conf --verbose master register")]
    [InlineData("-f /var/lib/pgsql/repmgr/repmgr.conf --verbose standby register")]
    [InlineData("-f /var/lib/pgsql/repmgr/repmgr.conf --verbose standby promote")]
    [InlineData("-f /var/lib/pgsql/repmgr/repmgr.conf standby follow")]
    [InlineData("-D /data -d pgbench -p 5432 -U repmgr -R postgres --verbose --force standby clone node2")]
    [InlineData("standby clone --force -h node2 -p 5432 -U postgres -R postgres --verbose")]
    [InlineData("-U standby -R prime -h 127.0.0.1 -p 5433 -d testdb --force --verbose standby clone")]
    [InlineData("--config_file=/etc/repmgr.conf standby promote")]
    [InlineData("-I -w 100 --data-dir=/data --ignore-rsync-warning STANDBY CLONE node1")]
    public void The_invocations_of_the_original_are_understood(string line) => Run(line);

    // As they stand in scripts for repmgr 5.
    [Theory]
    [InlineData("-h node1 -U repmgr -d repmgr -f /etc/repmgr.conf standby clone --dry-run --copy-external-config-files=pgdata -c")]
    [InlineData("-f /etc/repmgr.conf -d host=node1 standby clone --upstream-node-id=2 --without-barman --recovery-min-apply-delay=30min")]
    [InlineData("standby clone -h node1 --replication-conf-only --recovery-conf-only")]
    [InlineData("standby register -F --upstream-node-id=1 --wait-sync=60 --wait-start 10 -L DEBUG")]
    [InlineData("standby register --wait-sync")]
    [InlineData("standby follow -f /etc/repmgr.conf -W --log-to-file --upstream-node-id=3")]
    [InlineData("cluster cleanup -k 3 --node-id 2")]
    [InlineData("cluster event --limit 5 --event standby_promote --node-name=node2 --csv --compact")]
    [InlineData("cluster show --csv --terse -b /usr/lib/postgresql/17/bin")]
    [InlineData("primary unregister --node-id=1 --force --dry-run")]
    [InlineData("primary register --force --log-level INFO --pg_bindir=/usr/bin")]
    public void The_invocations_of_repmgr_5_are_understood(string line) => Run(line);

    [Theory]
    [InlineData("", false)]
    [InlineData("-d", true)]
    [InlineData("--daemonize", true)]
    [InlineData("--daemonize=false", false)]
    [InlineData("-dfalse", false)]
    [InlineData("-f /etc/repmgr.conf -m --verbose -d -p /run/repmgrd.pid", true)]
    public void The_letter_d_of_repmgrd_detaches(string line, bool daemonize) =>
        Assert.Equal(daemonize, Assert.IsType<Invocation.Run>(CommandLineParser.Parse(Words(line), CommandTable.Repmgrd)).Options.Daemonize);

    // Whatever is typed: an answer, and where it is no, at least one reason, each said once.
    [Fact]
    public void Nothing_that_is_typed_is_too_much()
    {
        string[] vocabulary =
        [
            .. CommandTable.Repmgr.Objects, "master", "clone", "register", "promote", "follow", "show", "event", "node1", "30", "-1", "--", "-", "=", "", "--=", "--x=",
            .. CommandTable.Repmgr.AllOptions.SelectMany(option => option.LongNames).Select(name => $"--{name}"),
            .. CommandTable.Repmgr.AllOptions.SelectMany(option => option.Letters).Select(letter => $"-{letter}"),
            "--wait=5", "-w5", "-wF", "-Fw", "-hx", "--csv=", "--method=rsync", "\u00e9", "-\u00e9", "a b", "--a b",
        ];
        Gen.Frequency((9, Gen.OneOf([.. vocabulary.Select(Gen.Const)])), (1, Gen.String)).Array[0, 8].Sample(
            words =>
            {
                switch (CommandLineParser.Parse(words, CommandTable.Repmgr))
                {
                    case Invocation.Wrong wrong:
                        Assert.NotEmpty(wrong.Problems);
                        Assert.All(wrong.Problems, problem => Assert.NotEqual("", problem.Message));
                        break;
                    case Invocation.Run run:
                        Assert.False(run.Command.IsLater);
                        ReadAll(run.Options);
                        break;
                }
            },
            iter: 4_000,
            threads: 1);
    }

    // A value that was found right is read without a fault.
    private static void ReadAll(CommandOptions options)
    {
        foreach (System.Reflection.PropertyInfo property in typeof(CommandOptions).GetProperties().Where(property => property.GetIndexParameters().Length == 0))
            property.GetValue(options);
    }

    [Fact]
    public void After_two_dashes_everything_is_a_word() => Assert.Equal("-odd-", Run("standby clone -- -odd-").Options.Argument);

    private static Invocation.Run Run(string line) => Assert.IsType<Invocation.Run>(Parse(line));

    private static Invocation Parse(string line) => CommandLineParser.Parse(Words(line), CommandTable.Repmgr);

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}

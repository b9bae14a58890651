using System.Diagnostics;
using CsCheck;
using Repmgr.Core.Cluster;

namespace Repmgr.Tests.Cluster;

public sealed class HookCommandTests
{
    [Theory]
    [InlineData("notify %d", "a b")]
    [InlineData("notify \"%d\"", "a b")]
    [InlineData("notify '%d'", "a b")]
    [InlineData("notify --details=%d", "--details=a b")]
    [InlineData("notify \"x %d y\"", "x a b y")]
    [InlineData("notify 'x %d y'", "x a b y")]
    [InlineData("notify 100%%", "100%")]
    [InlineData("notify %z", "%z")]
    [InlineData("notify \\'%d\\'", "'a b'")]
    public void A_placeholder_is_one_word_whatever_quotes_stand_around_it(string template, string expected) =>
        Assert.Equal([expected], Run(template, "a b"));

    [Fact]
    public void A_placeholder_without_a_value_expands_to_nothing()
    {
        Assert.Equal(["x"], Run("notify x %d", null));
        Assert.Equal(["x", ""], Run("notify x \"%d\"", null));
    }

    [Theory]
    [InlineData("$(echo hacked >&2)")]
    [InlineData("`echo hacked`")]
    [InlineData("\"; echo hacked; \"")]
    [InlineData("'; echo hacked; '")]
    [InlineData("a\nb")]
    [InlineData("$HOME \\ * ~ ! & | ;")]
    [InlineData("%n %d")]
    public void What_a_value_holds_is_never_run(string value)
    {
        foreach (string template in (string[])["notify %d", "notify \"%d\"", "notify '%d'", "notify \"$(printf '%%s' \"%d\")\""])
            Assert.Equal([value], Run(template, value));
    }

    [Fact]
    public void Every_value_arrives_as_it_is() =>
        Gen.String[Gen.Char[' ', '~'], 0, 40].Sample(
            value =>
            {
                foreach (string template in (string[])["notify x%d", "notify \"x%d\"", "notify 'x%d'"])
                    Assert.Equal(["x" + value], Run(template, value));
            },
            iter: 20);

    [Fact]
    public void An_event_fills_all_placeholders()
    {
        ClusterEvent happened = new(
            new NodeId(2), EventName.StandbyFollow, false, "it's \"late\"", new EventSubject(new NodeId(1), "host=a user=b", "node1"));
        HookCommand command = EventNotification.Compose(
            "notify %n %e %s \"%t\" \"%d\" %p %c %a", happened, new DateTimeOffset(2026, 1, 31, 8, 15, 0, 120, TimeSpan.Zero));

        Assert.Equal(
            ["2", "standby_follow", "0", "2026-01-31 08:15:00.12+00", "it's \"late\"", "1", "host=a user=b", "node1"],
            Run(command));
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("standby_register,standby_follow", true)]
    [InlineData("standby_register", false)]
    public void Only_the_events_of_the_filter_are_announced(string filter, bool wanted) =>
        Assert.Equal(
            wanted,
            EventNotification.IsWanted(filter.Split(',', StringSplitOptions.RemoveEmptyEntries), EventName.StandbyFollow));

    private static string[] Run(string template, string? details) =>
        Run(HookCommand.Compose(template, new Dictionary<char, HookValue>
        {
            ['n'] = new("REPMGR_NODE_ID", "1"),
            ['d'] = new("REPMGR_DETAILS", details),
        }));

    // A real shell is the judge: "notify" prints its arguments, each ended by a byte that no value holds.
    private static string[] Run(HookCommand command)
    {
        ProcessStartInfo start = new("/bin/sh") { RedirectStandardOutput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add("notify() { printf '%s\\001' \"$@\"; }\n" + command.Script);
        foreach ((string name, string value) in command.Environment)
            start.Environment[name] = value;

        using Process shell = Process.Start(start)!;
        string output = shell.StandardOutput.ReadToEnd();
        shell.WaitForExit();
        Assert.Equal(0, shell.ExitCode);
        return output.Split('\u0001')[..^1];
    }
}

using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;

namespace Repmgr.Tests.Conf;

public sealed class SettingsChangeTests
{
    private static readonly Settings Before = Settings.Defaults with { NodeId = new NodeId(1), NodeName = "node1", Conninfo = Parse("host=a password=old") };

    [Fact]
    public void What_did_not_change_is_not_listed() => Assert.Empty(SettingsChange.Between(Before, Before with { }));

    [Fact]
    public void A_change_says_old_and_new()
    {
        SettingsChange change = Assert.Single(SettingsChange.Between(Before, Before with { LogLevel = Severity.Debug }));

        Assert.Equal("log_level: INFO → DEBUG", change.Describe());
    }

    [Fact]
    public void A_value_that_was_unset_is_said_to_be_so()
    {
        SettingsChange change = Assert.Single(SettingsChange.Between(Before, Before with { LogFile = "/var/log/repmgrd.log" }));

        Assert.Equal("log_file: (unset) → /var/log/repmgrd.log", change.Describe());
    }

    [Fact]
    public void Another_password_is_a_change_and_neither_is_shown()
    {
        SettingsChange change = Assert.Single(SettingsChange.Between(Before, Before with { Conninfo = Parse("host=a password=new") }));

        Assert.Equal("conninfo: host=a password=******** → host=a password=******** with another password", change.Describe());
    }

    [Fact]
    public void The_identity_of_the_node_is_not_taken_over()
    {
        Settings now = Before with { NodeId = new NodeId(2), NodeName = "other", Priority = 7 };
        string[] said = [.. SettingsChange.Between(Before, now).Select(change => change.Describe())];

        Assert.Contains("node_id: 1 → 2 (refused: it is the identity of the node; the old value stays in force)", said);
        Assert.Equal(Before with { Priority = 7 }, SettingsChange.TakeOver(Before, now));
    }

    private static Conninfo Parse(string text)
    {
        Assert.True(Conninfo.TryParse(text, out Conninfo? conninfo, out _));
        return conninfo;
    }
}

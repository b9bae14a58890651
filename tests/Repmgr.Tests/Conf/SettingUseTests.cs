using System.Reflection;
using System.Text.RegularExpressions;
using Repmgr.Core.Settings;

namespace Repmgr.Tests.Conf;

/// <summary>What the manual says to work is read by the code, and what is not yet there is told to whoever sets it.</summary>
public sealed class SettingUseTests
{
    private static readonly Lazy<string> Code = new(() => string.Join('\n', Directory
        .EnumerateFiles(Path.Combine(Golden.Root, "src"), "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
            && !file.Contains(Path.Combine("Repmgr.Core", "Settings"), StringComparison.Ordinal))
        .Select(File.ReadAllText)));

    // replication_type has one value, so that to read it is to refuse all others; failover has one that works, and a notice for the other.
    [Fact]
    public void Every_key_that_is_said_to_work_is_read_outside_of_the_settings()
    {
        var unused = new List<string>();
        foreach (Setting setting in SettingTable.All.Where(setting => setting is { Pending: null, Retired: null, Replaced: null, Name: not ("replication_type" or "failover") }))
        {
            if (!Readers(PropertyOf(setting)).Any(property => Regex.IsMatch(Code.Value, $@"(\b_?[sS]ettings|\bdefaults|\bloaded\.Settings)(\?|!)?\.{property}\b|[sS]ettings is \{{[^}}]*\b{property}:")))
                unused.Add(setting.Name);
        }

        Assert.Empty(unused);
    }

    [Fact]
    public void Every_key_without_effect_is_accepted_with_a_line_that_names_it()
    {
        foreach (Setting setting in SettingTable.All.Where(setting => (setting.Pending ?? setting.Replaced ?? setting.Retired) is not null))
        {
            string value = Other(setting);
            SettingsRead read = SettingsReader.Read([new Assigned(setting.Name, value, new ConfPlace("repmgr.conf", 7))]);
            Assert.DoesNotContain(read.Problems, problem => problem.Message.Contains("unknown", StringComparison.Ordinal));
            Assert.Contains(read.Notices, line =>
                line.Message.Contains($"\"{setting.Name}\"", StringComparison.Ordinal)
                && Regex.IsMatch($"{line.Message} {line.Detail}", "repmgr.conf:7|\"repmgr.conf\" line 7")
                && $"{line.Detail}".Contains(setting.Pending ?? setting.Replaced ?? setting.Retired!, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Every_key_that_decides_nothing_where_agents_do_is_accepted_there_with_a_line_that_says_what_does()
    {
        Setting[] keys = [.. SettingTable.All.Where(setting => setting.WithAgents is not null)];
        Assert.Equal(
            ["async_query_timeout", "connection_check_query", "connection_check_type", "reconnect_attempts", "reconnect_interval", "service_promote_command", "use_replication_slots"],
            keys.Select(setting => setting.Name).Order());
        foreach (Setting setting in keys)
        {
            Assigned assigned = new(setting.Name, Other(setting), new ConfPlace("repmgr.conf", 7));
            Assert.DoesNotContain(SettingsReader.Read([assigned]).Notices, line => line.Message.Contains(setting.Name, StringComparison.Ordinal));
            SettingsRead read = SettingsReader.Read([assigned, new Assigned("failover", "automatic", new ConfPlace("repmgr.conf", 8))]);
            Assert.Contains(read.Notices, line => line.Message.Contains($"\"{setting.Name}\"", StringComparison.Ordinal)
                && $"{line.Detail}".Contains(setting.WithAgents!, StringComparison.Ordinal) && $"{line.Detail}".Contains("repmgr.conf:7", StringComparison.Ordinal));
        }
    }

    /// <summary>The keys of repmgr 5.x that say how a failover is carried out: each is honoured, or explained.</summary>
    [Theory]
    [InlineData("promote_command")]
    [InlineData("follow_command")]
    [InlineData("reconnect_attempts")]
    [InlineData("reconnect_interval")]
    [InlineData("connection_check_type")]
    [InlineData("async_query_timeout")]
    [InlineData("degraded_monitoring_timeout")]
    [InlineData("primary_notification_timeout")]
    [InlineData("repmgrd_standby_startup_timeout")]
    [InlineData("standby_disconnect_on_failover")]
    [InlineData("sibling_nodes_disconnect_timeout")]
    [InlineData("primary_visibility_consensus")]
    [InlineData("always_promote")]
    [InlineData("failover_validation_command")]
    [InlineData("election_rerun_interval")]
    [InlineData("reconnect_loop_sync")]
    [InlineData("service_promote_command")]
    [InlineData("use_replication_slots")]
    public void A_key_of_5_that_agents_do_not_go_by_is_explained(string key)
    {
        Setting setting = SettingTable.All.Single(known => known.Name == key);
        SettingsRead read = SettingsReader.Read([new Assigned(key, Other(setting), new ConfPlace("repmgr.conf", 7)), new Assigned("failover", "automatic", new ConfPlace("repmgr.conf", 8))]);
        Assert.Contains(read.Notices, line => line.Message.Contains($"\"{key}\"", StringComparison.Ordinal) && line.Severity == Core.Problems.Severity.Notice);
    }

    private static string[] Readers(string property) => property == "MonitoringHistory" ? [property, "KeepsMonitoringHistory"] : [property];

    /// <summary>The property that changes when the key is set.</summary>
    private static string PropertyOf(Setting setting)
    {
        Settings settings = Settings.Defaults;
        Assert.Null(setting.Assign(Other(setting), ref settings));
        return Assert.Single(
            typeof(Settings).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite),
            property => !Equals(property.GetValue(settings), property.GetValue(Settings.Defaults))).Name;
    }

    /// <summary>A value that is not the default.</summary>
    private static string Other(Setting setting) => new[] { "77", "true", "host=x", "json", "connection", "LOCAL1", "automatic", "DEBUG", "/a=/b", "never", "strict", "etcd", "https://host:1", "word" }.First(value =>
    {
        Settings settings = Settings.Defaults;
        return setting.Assign(value, ref settings) is null && (setting.Retired is not null || setting.Show(settings) != setting.Default);
    });
}

using Repmgr.Core.Cluster;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Files;

namespace Repmgr.Tests.Conf;

public sealed class SettingsLoaderTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("repmgr-conf").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void The_three_lines_of_1_x_are_enough()
    {
        var loaded = Load("""
            cluster=test
            node=1
            conninfo='host=node1 user=repmgr dbname=pgbench'
            """);

        Assert.Equal("test", loaded.Settings.Cluster);
        Assert.Equal(new NodeId(1), loaded.Settings.NodeId);
        Assert.Equal("node1", loaded.Settings.Conninfo!["host"]);
        Assert.Empty(loaded.Notices);
    }

    [Fact]
    public void An_unquoted_value_of_1_x_is_taken_with_a_warning()
    {
        var loaded = Load("rsync_options=--archive --checksum --rsh=\"ssh -o \\\"StrictHostKeyChecking no\\\"\"\npg_bindir=/usr/pgsql/bin");

        Assert.Equal("--archive --checksum --rsh=\"ssh -o \\\"StrictHostKeyChecking no\\\"\"", loaded.Settings.RsyncOptions);
        Assert.Equal("/usr/pgsql/bin", loaded.Settings.PgBindir);
        Assert.Equal([Severity.Warning, Severity.Warning], loaded.Notices.Select(notice => notice.Severity));
    }

    [Fact]
    public void The_first_file_of_the_search_path_is_read()
    {
        string second = Write("second.conf", "node_id = 2");
        Write("third.conf", "node_id = 3");

        var loaded = Assert.IsType<SettingsLoad.Loaded>(SettingsLoader.Load(null, [Path.Combine(_directory, "first.conf"), second, Path.Combine(_directory, "third.conf")]));

        Assert.Equal(new NodeId(2), loaded.Settings.NodeId);
        Assert.Equal(second, loaded.Path);
        Assert.Equal(new ConfPlace(second, 1), loaded.Places["node_id"]);
    }

    [Fact]
    public void Without_any_file_the_settings_are_the_defaults()
    {
        var loaded = Assert.IsType<SettingsLoad.Loaded>(SettingsLoader.Load(null, [Path.Combine(_directory, "none.conf")]));

        Assert.Same(Settings.Defaults, loaded.Settings);
        Assert.Null(loaded.Path);
    }

    [Fact]
    public void Included_files_are_read_where_they_stand_and_the_last_word_counts()
    {
        Directory.CreateDirectory(Path.Combine(_directory, "conf.d"));
        string first = Write("conf.d/10-first.conf", "node_name = 'ten'\npriority = 10");
        string last = Write("conf.d/20-last.conf", "priority = 20\ninclude '../deeper.conf'");
        string deeper = Write("deeper.conf", "location = 'deep'");
        Write("conf.d/30-ignored.txt", "priority = 30");
        Write("conf.d/.hidden.conf", "priority = 40");

        var loaded = Load("""
            node_id = 1
            priority = 5
            include_if_exists 'nothing.conf'
            include_dir = 'conf.d'
            node_name = 'after'
            """);

        Assert.Equal(new ConfPlace(last, 1), loaded.Places["priority"]);
        Assert.Equal(20, loaded.Settings.Priority);
        Assert.Equal(new ConfPlace(deeper, 1), loaded.Places["location"]);
        Assert.Equal("after", loaded.Settings.NodeName);
        Assert.DoesNotContain(loaded.Places.Values, place => place.File == first);
        Assert.DoesNotContain(loaded.Notices, notice => notice.Message.Contains("include", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("include")]
    [InlineData("include_if_exists")]
    public void A_file_is_included_with_and_without_an_equals_sign(string directive)
    {
        Write("other.conf", "node_id = 7");

        Assert.Equal(new NodeId(7), Load($"{directive} 'other.conf'").Settings.NodeId);
        Assert.Equal(new NodeId(7), Load($"{directive} = other.conf").Settings.NodeId);
    }

    private SettingsLoad.Loaded Load(string text) => Assert.IsType<SettingsLoad.Loaded>(SettingsLoader.Load(Write("repmgr.conf", text)));

    private string Write(string name, string text)
    {
        string path = Path.Combine(_directory, name);
        File.WriteAllText(path, text);
        return path;
    }
}

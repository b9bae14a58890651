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

    private SettingsLoad.Loaded Load(string text) => Assert.IsType<SettingsLoad.Loaded>(SettingsLoader.Load(Write("repmgr.conf", text)));

    private string Write(string name, string text)
    {
        string path = Path.Combine(_directory, name);
        File.WriteAllText(path, text);
        return path;
    }
}

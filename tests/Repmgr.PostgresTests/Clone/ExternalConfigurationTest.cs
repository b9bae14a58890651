using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Clone;

/// <summary>Configuration files outside the data directory, as Debian lays them out.</summary>
public sealed class ExternalConfigurationTest : CloneTest
{
    private async Task<(TestServer Source, TestServer Target, string Etc)> DebianAsync(int major)
    {
        var hosts = await Lab.HostsAsync("node1", "node2");
        var source = await Lab.ServerAsync(major, 1, hosts[0]);
        string etc = await Lab.SubdirectoryAsync("etc-postgresql-main");
        string[] files = ["postgresql.conf", "pg_hba.conf", "pg_ident.conf"];
        foreach (string file in files)
            File.Move(Path.Combine(source.DataDirectory, file), Path.Combine(etc, file));
        File.AppendAllLines(Path.Combine(etc, "postgresql.conf"),
        [
            $"data_directory = '{source.DataDirectory}'", $"hba_file = '{etc}/pg_hba.conf'", $"ident_file = '{etc}/pg_ident.conf'",
        ]);
        (await source.RunAsync(source.Major.Program("pg_ctl"), "-D", etc, "-w", "-l", source.LogPath, "start")).ShouldSucceed();
        return (source, await Lab.EmptyServerAsync(major, 2, hosts[1]), etc);
    }

    [Fact]
    public async Task The_operator_is_told_what_to_do()
    {
        var (source, target, etc) = await DebianAsync(PostgresMajor.Default);
        (await CloneAsync(target, Clone(source))).ShouldSucceed().ShouldSay($"\"{etc}/postgresql.conf\"").ShouldSay("--copy-external-config-files");
        Assert.False(File.Exists(Path.Combine(target.DataDirectory, "postgresql.conf")));
    }

    [Theory, EveryMajor]
    public Task The_files_are_copied_into_the_data_directory_beside_pg_basebackup(int major) => TheFilesAreCopiedAsync(major, "basebackup");

    [Theory, EveryMajor]
    public Task The_files_are_copied_into_the_data_directory_beside_rsync(int major) => TheFilesAreCopiedAsync(major, "rsync");

    private async Task TheFilesAreCopiedAsync(int major, string method)
    {
        var (source, target, _) = await DebianAsync(major);
        (await CloneAsync(target, Clone(source, $"--method={method}", "--copy-external-config-files=pgdata"))).ShouldSucceed();
        await target.ConfigureAsync(
            $"data_directory = '{target.DataDirectory}'", $"hba_file = '{target.DataDirectory}/pg_hba.conf'", $"ident_file = '{target.DataDirectory}/pg_ident.conf'");
        await StartsAndStreamsAsync(target, source);
    }

    [Theory, EveryMajor]
    public async Task Settings_here_that_are_too_low_for_a_standby_are_refused(int major)
    {
        var (source, target, _) = await DebianAsync(major);
        string own = await Lab.SubdirectoryAsync("etc-of-node2");
        File.WriteAllText(Path.Combine(own, "postgresql.conf"), $"data_directory = '{target.DataDirectory}'\nmax_connections = 10\nmax_wal_senders = 3\n");
        await TestUser.GiveAsync(own, target.User);
        await target.WriteConfAsync($"config_directory='{own}'");
        (await CloneAsync(target, Clone(source))).ShouldExit(1).ShouldSay("\"max_connections\" is lower here than on the source").ShouldSay("Set max_connections = 50 or more");
    }
}

using System.Collections.Concurrent;
using CliWrap;
using CliWrap.Buffered;

namespace Repmgr.PostgresTests.Harness;

/// <summary>
/// Prepares one data directory per major and run, with role and database <c>repmgr</c>, and copies it for each server that a
/// test asks for: a copy takes a twentieth of the time that <c>initdb</c> and a first start take.
/// </summary>
internal static class ServerTemplate
{
    private static readonly ConcurrentDictionary<int, Lazy<Task<string>>> Prepared = new();

    public static async Task CopyAsync(TestServer server)
    {
        string template = await Prepared.GetOrAdd(server.Major.Number, number => new Lazy<Task<string>>(() => PrepareAsync(number))).Value;
        await Cli.Wrap("cp").WithArguments(["-a", "--reflink=auto", template, server.DataDirectory]).ExecuteBufferedAsync();
        await TestUser.GiveAsync(server.DataDirectory, server.User);
    }

    /// <summary>A data directory with an identity of its own.</summary>
    public static async Task InitialiseAsync(TestServer server)
    {
        (await server.RunAsync(server.Major.Program("initdb"), "-D", server.DataDirectory, "-U", "postgres",
            "--no-sync", "-A", "trust", "-E", "UTF8", "--locale=C")).ShouldSucceed();
        await server.ConfigureAsync(
            "wal_level = replica",
            "max_wal_senders = 10",
            "max_replication_slots = 10",
            "max_connections = 50",
            "hot_standby = on",
            "wal_log_hints = on",
            "wal_keep_size = 64MB",
            "wal_receiver_timeout = 5s",
            "wal_retrieve_retry_interval = 200ms",
            "shared_buffers = 16MB",
            "fsync = off",
            // In files of the data directory: what a killed server leaves goes with them.
            "dynamic_shared_memory_type = mmap",
            "log_line_prefix = '%m [%p] %a: '");
        await File.AppendAllLinesAsync(Path.Combine(server.DataDirectory, "pg_hba.conf"),
        [
            "host all all samenet trust",
            "host replication all samenet trust",
        ]);
        await server.PersonaliseAsync();
        await server.StartAsync();
        await server.ExecuteAsync("create role repmgr superuser login", "postgres");
        await server.ExecuteAsync("create database repmgr owner repmgr", "postgres");
        await server.StopAsync();
    }

    private static async Task<string> PrepareAsync(int number)
    {
        await using var lab = await Lab.OpenAsync();
        var server = await lab.EmptyServerAsync(number, nodeId: 1);
        await InitialiseAsync(server);
        string template = Path.Combine(await RunDirectory.SubdirectoryAsync("templates"), $"{number}");
        await Cli.Wrap("cp").WithArguments(["-a", server.DataDirectory, template]).ExecuteBufferedAsync();
        return template;
    }
}

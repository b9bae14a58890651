using System.Globalization;
using Npgsql;

namespace Repmgr.PostgresTests.Harness;

/// <summary>One PostgreSQL server of a test, with the <c>repmgr.conf</c> of its node.</summary>
public sealed class TestServer(Lab lab, PostgresMajor major, int nodeId, string name, string directory, TestHost? host, int port, string user)
{
    public Lab Lab => lab;

    public PostgresMajor Major => major;

    public int NodeId => nodeId;

    public string Name => name;

    /// <summary>The node's own directory: <c>data/</c>, <c>repmgr.conf</c>, <c>server.log</c>, and the socket lie in it.</summary>
    public string Directory => directory;

    public string DataDirectory => Path.Combine(directory, "data");

    public string ConfPath => Path.Combine(directory, "repmgr.conf");

    public string LogPath => Path.Combine(directory, "server.log");

    public TestHost? Host => host;

    /// <summary>How other nodes name this one: the host's name, or the loopback address.</summary>
    public string Address => host?.Name ?? "127.0.0.1";

    public int Port => port;

    /// <summary>The operating-system user that it runs as.</summary>
    public string User => user;

    public string Conninfo =>
        string.Create(CultureInfo.InvariantCulture, $"host={Address} port={port} user=repmgr dbname=repmgr connect_timeout=2");

    /// <summary>Whether a process of this server is there, be it frozen.</summary>
    public bool IsRunning => Leftovers.OfServer(DataDirectory).Count > 0;

    /// <summary>Writes <c>repmgr.conf</c>: the node, its conninfo and directories, then these lines.</summary>
    public async Task WriteConfAsync(params IReadOnlyList<string> lines)
    {
        await File.WriteAllTextAsync(ConfPath, $"""
            node_id={nodeId}
            node_name='{name}'
            conninfo='{Conninfo}'
            data_directory='{DataDirectory}'
            pg_bindir='{major.BinDirectory}'
            {string.Join('\n', lines)}

            """);
        await TestUser.GiveAsync(ConfPath, user);
    }

    /// <summary>Makes the data directory: a copy of this major's prepared one, or one of its own identity.</summary>
    internal async Task InitialiseAsync(bool foreign)
    {
        if (foreign)
            await ServerTemplate.InitialiseAsync(this);
        else
            await ServerTemplate.CopyAsync(this);
        await PersonaliseAsync();
    }

    /// <summary>
    /// Gives a data directory that came from elsewhere this server's port, addresses and socket: what an operator does to
    /// <c>postgresql.conf</c> after cloning on one host.
    /// </summary>
    public Task PersonaliseAsync() => ConfigureAsync(
        $"port = {port}",
        $"listen_addresses = '{(host is null ? "127.0.0.1" : "*")}'",
        // Also where the distribution's clients look for it, where that is the host's own.
        $"unix_socket_directories = '{directory}{(host is null ? "" : ", /run/postgresql")}'");

    /// <summary>Adds lines to <c>postgresql.conf</c>; the last one wins. Takes effect at the next start or reload.</summary>
    public Task ConfigureAsync(params IReadOnlyList<string> lines) =>
        File.AppendAllLinesAsync(Seen(Path.Combine(DataDirectory, "postgresql.conf")), lines);

    /// <summary>A path as this process reaches it, also where the server's host has a disk of its own there.</summary>
    public string Seen(string path) => host?.Seen(path) ?? path;

    /// <summary>Makes a stopped data directory that of a standby: the signal file, and where it streams from.</summary>
    public async Task MakeStandbyAsync(TestServer upstream, string? slot = null)
    {
        string signal = Path.Combine(DataDirectory, "standby.signal");
        await File.WriteAllTextAsync(signal, "");
        await TestUser.GiveAsync(signal, user);
        string primary = string.Create(CultureInfo.InvariantCulture,
            $"host={upstream.Address} port={upstream.Port} user=repmgr application_name={name} connect_timeout=2");
        await File.AppendAllLinesAsync(Path.Combine(DataDirectory, "postgresql.auto.conf"),
            [$"primary_conninfo = '{primary}'", .. slot is null ? Array.Empty<string>() : [$"primary_slot_name = '{slot}'"]]);
    }

    public async Task StartAsync() =>
        (await PgCtlAsync("start", "-w", "-t", "60", "-l", LogPath)).ShouldSucceed();

    /// <param name="mode"><c>fast</c>, <c>smart</c> or <c>immediate</c>.</param>
    public async Task StopAsync(string mode = "fast") =>
        (await PgCtlAsync("stop", "-w", "-t", "60", "-m", mode)).ShouldSucceed();

    public async Task RestartAsync() =>
        (await PgCtlAsync("restart", "-w", "-t", "60", "-m", "fast", "-l", LogPath)).ShouldSucceed();

    public async Task ReloadAsync() => (await PgCtlAsync("reload")).ShouldSucceed();

    /// <summary>What a power cut does: every process of the server gets SIGKILL at once. Returns when they are gone.</summary>
    public async Task KillAsync()
    {
        var processes = Leftovers.OfServer(DataDirectory);
        foreach (int pid in processes)
            _ = Leftovers.Send(pid, Leftovers.SigKill);
        await Eventually.TrueAsync(() => Task.FromResult(processes.All(Leftovers.IsGone)), TimeSpan.FromSeconds(30), $"{name} is gone");
    }

    /// <summary>Stops the clock for the server: its processes stay, its connections stay open, nothing answers.</summary>
    public void Freeze() => Signal(Leftovers.SigStop);

    public void Thaw() => Signal(Leftovers.SigCont);

    /// <summary>Runs <c>repmgr -f repmgr.conf</c> with these arguments, as the server's user, in the node's directory.</summary>
    public Task<ProgramResult> RepmgrAsync(params IReadOnlyList<string> arguments) =>
        RunAsync(Programs.Repmgr, ["-f", ConfPath, .. arguments]);

    /// <summary>Starts <c>repmgrd -f repmgr.conf</c> in the foreground.</summary>
    public RepmgrdProcess StartRepmgrd(params IReadOnlyList<string> arguments) =>
        RepmgrdProcess.Start(this, ["-f", ConfPath, .. arguments]);

    /// <summary>The same, with these variables in its environment too.</summary>
    public RepmgrdProcess StartRepmgrd(IReadOnlyDictionary<string, string?> environment, params IReadOnlyList<string> arguments) =>
        RepmgrdProcess.Start(this, ["-f", ConfPath, .. arguments], new Dictionary<string, string?>([.. Surroundings, .. environment]));

    /// <summary>Runs any program as the server's user, on its host, in the node's directory, with this major's programs in the path.</summary>
    public Task<ProgramResult> RunAsync(string program, params IReadOnlyList<string> arguments) =>
        lab.RunAsync(new Launch(program, arguments)
        {
            User = user,
            Host = host,
            WorkingDirectory = directory,
            Environment = Surroundings,
        });

    public IReadOnlyDictionary<string, string?> Surroundings => new Dictionary<string, string?>
    {
        ["PATH"] = $"{major.BinDirectory}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        ["HOME"] = directory,
        ["USER"] = user,
    };

    /// <summary>One value, as the superuser over the socket, from database <c>repmgr</c> unless another is named.</summary>
    public async Task<T> QueryAsync<T>(string sql, string database = "repmgr")
    {
        await using var connection = await ConnectAsync(database);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(TestContext.Current.CancellationToken) switch
        {
            T value => value,
            null => throw new InvalidOperationException($"no row: {sql}"),
            DBNull => throw new InvalidOperationException($"a null: {sql}"),
            var other => (T)Convert.ChangeType(other, typeof(T), CultureInfo.InvariantCulture),
        };
    }

    /// <summary>All rows, each value as text, <c>null</c> for a null.</summary>
    public async Task<IReadOnlyList<IReadOnlyList<string?>>> RowsAsync(string sql, string database = "repmgr")
    {
        await using var connection = await ConnectAsync(database);
        await using var command = new NpgsqlCommand(sql, connection) { AllResultTypesAreUnknown = true };
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var rows = new List<IReadOnlyList<string?>>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
            rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? null : reader.GetString(i))]);
        return rows;
    }

    public async Task ExecuteAsync(string sql, string database = "repmgr")
    {
        await using var connection = await ConnectAsync(database);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Waits until this server is a standby that streams from that one.</summary>
    public Task StreamsFromAsync(TestServer upstream, TimeSpan? within = null) => Eventually.TrueAsync(
        () => upstream.QueryAsync<bool>(
            $"select exists (select from pg_stat_replication where application_name = '{name}' and state = 'streaming')"),
        within ?? TimeSpan.FromSeconds(30), $"{name} streams from {upstream.Name}");

    public Task<bool> InRecoveryAsync(string database = "repmgr") => QueryAsync<bool>("select pg_is_in_recovery()", database);

    /// <summary>A connection as superuser <c>postgres</c> over the socket: works however the network is cut.</summary>
    public async Task<NpgsqlConnection> ConnectAsync(string database = "repmgr")
    {
        var connection = new NpgsqlConnection(string.Create(CultureInfo.InvariantCulture,
            $"Host={directory};Port={port};Username=postgres;Database={database};Pooling=false;Timeout=5;Command Timeout=30"));
        try
        {
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private Task<ProgramResult> PgCtlAsync(params IReadOnlyList<string> arguments) =>
        RunAsync(major.Program("pg_ctl"), ["-D", DataDirectory, .. arguments]);

    private void Signal(int signal)
    {
        foreach (int pid in Leftovers.OfServer(DataDirectory))
            _ = Leftovers.Send(pid, signal);
    }
}

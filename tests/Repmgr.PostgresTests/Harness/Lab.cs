using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Repmgr.PostgresTests.Harness;

/// <summary>All that one test makes: directories, servers, hosts, daemons. Disposing it ends and removes all of them.</summary>
public sealed class Lab : IAsyncDisposable
{
    private static int _count;

    private readonly Ports _ports = new();
    private readonly List<TestServer> _servers = [];
    private readonly ConcurrentQueue<string> _transcript = new();
    private TestNetwork? _network;

    private Lab(string directory) => Directory = directory;

    /// <summary>The test's own directory, owned by the user that the servers run as.</summary>
    public string Directory { get; }

    public static async Task<Lab> OpenAsync() =>
        new(await RunDirectory.SubdirectoryAsync(Interlocked.Increment(ref _count).ToString(CultureInfo.InvariantCulture)));

    /// <summary>A directory below the test's own, owned like it.</summary>
    public async Task<string> SubdirectoryAsync(string name, string? owner = null)
    {
        string path = System.IO.Directory.CreateDirectory(Path.Combine(Directory, name)).FullName;
        await TestUser.GiveAsync(path, owner ?? TestUser.Name);
        return path;
    }

    /// <summary>
    /// A server that is configured for replication, not started, with role and database <c>repmgr</c> (superuser unless a test
    /// narrows it). Servers of one major share a system identifier unless <paramref name="foreign"/>.
    /// </summary>
    public async Task<TestServer> ServerAsync(
        int major, int nodeId = 1, TestHost? host = null, bool foreign = false, string? user = null, int port = 0)
    {
        var server = await EmptyServerAsync(major, nodeId, host, user, port);
        await server.InitialiseAsync(foreign);
        return server;
    }

    /// <param name="user">The operating-system user it runs as, where that is not <see cref="TestUser.Name"/>; needs a host.</param>
    /// <param name="port">On a host, where the default of 5432 is not wanted; on loopback a free port is found.</param>
    /// <summary>A place for a server (directory, port, repmgr.conf) whose data directory does not exist yet: something to clone into.</summary>
    public async Task<TestServer> EmptyServerAsync(int major, int nodeId, TestHost? host = null, string? user = null, int port = 0)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"node{nodeId}");
        var server = new TestServer(this, PostgresMajor.Of(major), nodeId, name,
            await SubdirectoryAsync(_servers.Any(s => s.Name == name) ? $"{name}-{_servers.Count}" : name, user),
            host, host is null ? _ports.Take() : port > 0 ? port : 5432, user ?? TestUser.Name);
        await server.WriteConfAsync();
        _servers.Add(server);
        return server;
    }

    /// <summary>A running primary (node 1) with running standbys (nodes 2, 3, …) that stream from it; no repmgr involved yet.</summary>
    public Task<TestCluster> ClusterAsync(int major, int standbys, bool slots = false) =>
        TestCluster.StartAsync(this, major, standbys, slots);

    /// <summary>
    /// Hosts of their own (addresses, names, process ids, sshd) on a network of their own. Needs root, and a machine or container
    /// that lets root make namespaces; elsewhere the test is skipped with that reason.
    /// </summary>
    public async Task<IReadOnlyList<TestHost>> HostsAsync(params IReadOnlyList<string> names)
    {
        Assert.SkipUnless(TestUser.IsRoot, "hosts with their own addresses and sshd are network namespaces, which need root");
        if (await NamespaceHolder.ObstacleAsync() is { } obstacle)
            Assert.Skip($"hosts with their own addresses and sshd are network namespaces, which cannot be made here: {obstacle}");
        Assert.SkipUnless(File.Exists("/usr/sbin/sshd"), "there is no sshd on this machine; tools/prerequisites test installs it");
        _network ??= await TestNetwork.CreateAsync(this);
        var hosts = new List<TestHost>();
        foreach (string name in names)
            hosts.Add(await _network.AddHostAsync(name));
        return hosts;
    }

    public int FreePort() => _ports.Take();

    /// <summary>Runs a program with the lab's marks on it, and keeps what it said for the report of a failing test.</summary>
    public async Task<ProgramResult> RunAsync(Launch launch)
    {
        var result = await Marked(launch).RunAsync();
        _transcript.Enqueue(result.ToString());
        return result;
    }

    internal Launch Marked(Launch launch) => launch with
    {
        WorkingDirectory = launch.WorkingDirectory ?? Directory,
        Environment = new Dictionary<string, string?>(launch.Environment) { [Leftovers.Marker] = Directory },
    };

    internal void Note(string what) => _transcript.Enqueue(what);

    /// <summary>For the output of a test that failed: every program that was run, and the end of every log.</summary>
    public string Report()
    {
        var report = new StringBuilder();
        foreach (string entry in _transcript)
            report.AppendLine(entry).AppendLine();
        foreach (string log in System.IO.Directory.EnumerateFiles(Directory, "*.log", SearchOption.AllDirectories).Order())
        {
            report.AppendLine(CultureInfo.InvariantCulture, $"=== the end of {Path.GetRelativePath(Directory, log)}");
            foreach (string line in File.ReadLines(log).TakeLast(60))
                report.AppendLine(line);
        }

        return report.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        await Task.Run(() => Leftovers.Kill(Directory));
        await Task.Run(Leftovers.WaitForEndedServers);
        await Task.Run(() => Leftovers.RemoveSharedMemory(Directory));
        if (_network is not null)
            await _network.DisposeAsync();
        _ports.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}

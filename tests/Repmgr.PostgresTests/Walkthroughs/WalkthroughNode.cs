using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Walkthroughs;

/// <summary>
/// A node as the original's manual has it: <c>$PGDATA</c> and the path are set in the login script, the file has three lines and
/// lies in a directory <c>repmgr</c> of its own, and everything is typed at a shell on that host.
/// </summary>
internal sealed class WalkthroughNode(TestServer server)
{
    public TestServer Server => server;

    public string PgData => server.DataDirectory;

    public string ConfPath => Path.Combine(server.Directory, "repmgr", "repmgr.conf");

    /// <summary>What the login script exports beside <c>PGDATA</c>.</summary>
    public IReadOnlyDictionary<string, string?> Login { get; init; } = new Dictionary<string, string?>();

    /// <summary>Takes away the file that the harness has made, and writes the manual's three lines where the manual has them.</summary>
    public async Task WriteThreeLinesAsync(string conninfo)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(ConfPath)!);
        await File.WriteAllTextAsync(ConfPath, $"cluster=test\nnode={server.NodeId}\nconninfo='{conninfo}'\n");
        await TestUser.GiveAsync(Path.GetDirectoryName(ConfPath)!, server.User);
    }

    public Task<ProgramResult> TypeAsync(string program, params IReadOnlyList<string> arguments) =>
        TypeInAsync(server.Directory, program, arguments);

    /// <summary>Types a command in that directory.</summary>
    public Task<ProgramResult> TypeInAsync(string directory, string program, IReadOnlyList<string> arguments) =>
        server.Lab.RunAsync(new Launch(program == "repmgr" ? Programs.Repmgr : program, arguments)
        {
            User = server.User,
            Host = server.Host,
            WorkingDirectory = directory,
            Environment = Shell,
            Within = TimeSpan.FromSeconds(120),
        });

    /// <summary>Types a command line as the manual prints it; <c>$PGDATA</c> is expanded, nothing is quoted.</summary>
    public Task<ProgramResult> TypeAsync(string line) => TypeInAsync(server.Directory, line);

    public Task<ProgramResult> TypeInAsync(string directory, string line)
    {
        string[] words = line.Replace("$PGDATA", PgData, StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return TypeInAsync(directory, words[0], words[1..]);
    }

    public RepmgrdProcess StartRepmgrd() => RepmgrdProcess.Start(server, ["-f", ConfPath, "--verbose"], Shell);

    /// <summary>A statement through psql in the node's own way in: how its user would look.</summary>
    public async Task<string> PsqlAsync(string database, string sql) =>
        (await TypeAsync("psql", "-X", "-At", "-d", database, "-c", sql)).ShouldSucceed().Stdout.TrimEnd('\n');

    private Dictionary<string, string?> Shell => new(server.Surroundings.Concat(Login)) { ["PGDATA"] = PgData };
}

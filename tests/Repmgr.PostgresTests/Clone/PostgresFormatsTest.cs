using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Repmgr.Core.Cloning;
using Repmgr.Core.Postgres;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Clone;

/// <summary>What we compute and write of PostgreSQL's own formats, held against PostgreSQL.</summary>
public sealed partial class PostgresFormatsTest : CloneTest
{
    private const int PageBytes = 8192;

    [Theory, EveryMajor]
    public async Task Every_page_of_a_cluster_with_checksums_is_sound_and_a_flipped_bit_is_found(int major)
    {
        var server = await Lab.ServerAsync(major);
        await ChecksumsAsync(server, "--enable");
        await server.StartAsync();
        await FillAsync(server, 20_000);
        await server.ExecuteAsync("create index on filling (text); create index on filling using gin (to_tsvector('simple', text)); update filling set g = -g where g % 3 = 0");
        await server.ExecuteAsync("vacuum filling");
        string relation = Path.Combine(server.DataDirectory, await server.QueryAsync<string>("select pg_relation_filepath('filling')"));
        await server.StopAsync();

        var states = RelationFiles(server.DataDirectory).SelectMany(Pages).ToList();
        Assert.DoesNotContain(states, page => page.State == PageState.Damaged);
        Assert.True(states.Count(page => page.State == PageState.Sound) > 1000);
        Assert.All(states.Where(page => page.State == PageState.Sound), page => Assert.InRange(page.LastChange.Bytes, 0UL, 1UL << 40));

        await using (var file = new FileStream(relation, FileMode.Open))
        {
            file.Position = (5 * PageBytes) + 4000;
            int value = file.ReadByte();
            file.Position--;
            file.WriteByte((byte)(value ^ 0x10));
        }

        Assert.Equal(5U, Assert.Single(RelationFiles(server.DataDirectory).SelectMany(Pages), page => page.State == PageState.Damaged).Block);
        Assert.NotEqual(0, (await server.RunAsync(server.Major.Program("pg_checksums"), "--check", "-D", server.DataDirectory)).ExitCode);
    }

    [Theory, EveryMajor]
    public async Task A_manifest_of_ours_is_accepted_by_pg_verifybackup_and_finds_what_differs(int major)
    {
        var server = await Lab.ServerAsync(major);
        await server.StartAsync();
        await FillAsync(server, 1000, await Lab.SubdirectoryAsync("a tablespace"));
        (await server.RunAsync("sh", "-c", $"printf odd > \"$(printf '{server.DataDirectory}/not \\377 utf8')\" && printf odd > '{server.DataDirectory}/with \"quotes\" and \\backslash'")).ShouldSucceed();
        string backup = Path.Combine(server.Directory, "backup");
        (await server.RunAsync(server.Major.Program("pg_basebackup"), "-h", server.Address, "-p", $"{server.Port}", "-U", "repmgr", "-D", backup, "-c", "fast",
            $"--tablespace-mapping={Path.Combine(Lab.Directory, "a tablespace")}={Path.Combine(server.Directory, "moved")}")).ShouldSucceed();
        string path = Path.Combine(backup, BackupManifest.FileName);
        await File.WriteAllBytesAsync(path, Rewritten(await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken), backup, major), TestContext.Current.CancellationToken);

        try
        {
            await IsProvenAsync(server, backup);
        }
        finally
        {
            // The base library cannot name this file, so it would not be removed with the rest.
            await server.RunAsync("find", server.Directory, "-name", "not * utf8", "-delete");
        }
    }

    private static async Task IsProvenAsync(TestServer server, string backup)
    {
        (await VerifyAsync(server, backup)).ShouldSucceed();
        foreach (string path in Checked.Select(file => Path.Combine(backup, file)))
        {
            byte[] before = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
            byte[] changed = [.. before];
            changed[^1] ^= 1;
            await File.WriteAllBytesAsync(path, changed, TestContext.Current.CancellationToken);
            var found = await VerifyAsync(server, backup);
            Assert.NotEqual(0, found.ExitCode);
            found.ShouldSay($"checksum mismatch for file \"{Path.GetRelativePath(backup, path)}\"");
            await File.WriteAllBytesAsync(path, before, TestContext.Current.CancellationToken);
        }
    }

    private static Task<ProgramResult> VerifyAsync(TestServer server, string backup) => server.RunAsync(server.Major.Program("pg_verifybackup"), backup);

    /// <summary>Files that a rewritten manifest has a checksum of, one by SHA256 and one by CRC32C at least.</summary>
    private static readonly string[] Checked = ["PG_VERSION", "global/pg_control", "postgresql.conf"];

    private static async Task ChecksumsAsync(TestServer server, string action)
    {
        var state = await server.RunAsync(server.Major.Program("pg_controldata"), "-D", server.DataDirectory);
        if (Regex.IsMatch(state.ShouldSucceed().Stdout, "Data page checksum version: +0\n"))
            (await server.RunAsync(server.Major.Program("pg_checksums"), action, "-N", "-D", server.DataDirectory)).ShouldSucceed();
    }

    private static IEnumerable<string> RelationFiles(string dataDirectory) =>
        Directory.EnumerateFiles(dataDirectory, "*", SearchOption.AllDirectories).Where(path => RelationFile().IsMatch(Path.GetRelativePath(dataDirectory, path)));

    private static IEnumerable<(uint Block, PageState State, Lsn LastChange)> Pages(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        for (uint block = 0; block < file.Length / PageBytes; block++)
        {
            byte[] page = file[(int)(block * PageBytes)..(int)((block + 1) * PageBytes)];
            yield return (block, PageChecksum.Check(page, block), PageChecksum.LastChange(page));
        }
    }

    /// <summary>The server's manifest again, each entry through our writer, with sizes and checksums of our own.</summary>
    private static byte[] Rewritten(byte[] original, string backup, int major)
    {
        using var json = JsonDocument.Parse(original);
        ulong identifier = json.RootElement.TryGetProperty("System-Identifier", out var system) ? system.GetUInt64() : 0;
        var output = new ArrayBufferWriter<byte>();
        using var manifest = new BackupManifest(output, new PostgresVersion(major * 10000), identifier);
        Assert.Contains(json.RootElement.GetProperty("Files").EnumerateArray(), file => file.TryGetProperty("Encoded-Path", out _));
        foreach (var (index, file) in json.RootElement.GetProperty("Files").EnumerateArray().Index())
            manifest.Add(file.TryGetProperty("Path", out var path) ? Entry(file, path.GetString()!, backup, index) : Odd(file));
        manifest.End(json.RootElement.GetProperty("WAL-Ranges").EnumerateArray().Select(range => new WalRange(
            range.GetProperty("Timeline").GetUInt32(), Position(range, "Start-LSN"), Position(range, "End-LSN"))));
        return output.WrittenSpan.ToArray();
    }

    private static ManifestFile Entry(JsonElement file, string path, string backup, int index)
    {
        byte[] content = File.ReadAllBytes(Path.Combine(backup, path));
        var algorithm = Checked.Contains(path) ? (ManifestChecksum)(1 + (Array.IndexOf(Checked, path) % 2)) : (ManifestChecksum)(index % 3);
        byte[] checksum = algorithm switch
        {
            ManifestChecksum.Sha256 => SHA256.HashData(content),
            ManifestChecksum.Crc32C => BitConverter.GetBytes(Crc32C.Of(content)),
            _ => [],
        };
        return new ManifestFile(Encoding.UTF8.GetBytes(path), content.Length, Modified(file), algorithm, checksum);
    }

    private static ManifestFile Odd(JsonElement file) => new(
        Convert.FromHexString(file.GetProperty("Encoded-Path").GetString()!), file.GetProperty("Size").GetInt64(), Modified(file), ManifestChecksum.None, default);

    private static DateTimeOffset Modified(JsonElement file) => DateTimeOffset.ParseExact(
        file.GetProperty("Last-Modified").GetString()!, "yyyy-MM-dd HH:mm:ss 'GMT'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    private static Lsn Position(JsonElement range, string name) => Lsn.TryParse(range.GetProperty(name).GetString(), out Lsn lsn) ? lsn : default;

    [GeneratedRegex(@"^(base/\d+|global)/\d+(_fsm|_vm|_init)?(\.\d+)?$")]
    private static partial Regex RelationFile();
}

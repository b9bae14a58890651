using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Repmgr.Core.Cloning;
using Repmgr.Core.Postgres;

namespace Repmgr.Tests.Cloning;

public sealed class BackupManifestTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 24, 13, 0, 0, 999, TimeSpan.FromHours(1));

    [Fact]
    public void A_manifest_reads_as_the_servers_own()
    {
        string text = Written(150018, [
            File("backup_label", 225, ManifestChecksum.Crc32C, "255dd614"),
            File("base/1/1259", 0, ManifestChecksum.None, ""),
            File("global/pg_control", 8192, ManifestChecksum.Sha256, "00ff"),
        ], new WalRange(1, new Lsn(0x200_0028), new Lsn(0x200_0100)), new WalRange(2, new Lsn(0x1_0000_0000), new Lsn(0x1_0000_0001)));

        Assert.Equal(
            """
            { "PostgreSQL-Backup-Manifest-Version": 1,
            "Files": [
            { "Path": "backup_label", "Size": 225, "Last-Modified": "2026-11-24 12:00:00 GMT", "Checksum-Algorithm": "CRC32C", "Checksum": "255dd614" },
            { "Path": "base/1/1259", "Size": 0, "Last-Modified": "2026-11-24 12:00:00 GMT" },
            { "Path": "global/pg_control", "Size": 8192, "Last-Modified": "2026-11-24 12:00:00 GMT", "Checksum-Algorithm": "SHA256", "Checksum": "00ff" }
            ],
            "WAL-Ranges": [
            { "Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000100" },
            { "Timeline": 2, "Start-LSN": "1/0", "End-LSN": "1/1" }
            ],

            """,
            Covered(text));
    }

    [Theory]
    [InlineData(130000, "{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [")]
    [InlineData(160009, "{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [")]
    [InlineData(170000, "{ \"PostgreSQL-Backup-Manifest-Version\": 2,\n\"System-Identifier\": 18446744073709551615,\n\"Files\": [")]
    [InlineData(190000, "{ \"PostgreSQL-Backup-Manifest-Version\": 2,\n\"System-Identifier\": 18446744073709551615,\n\"Files\": [")]
    public void The_cluster_is_named_from_17_on(int version, string first) =>
        Assert.StartsWith(first, Written(version, []), StringComparison.Ordinal);

    [Fact]
    public void The_last_line_covers_all_others()
    {
        string text = Written(190000, [File("a", 1, ManifestChecksum.None, ""), File("b", 1, ManifestChecksum.None, "")]);
        string covered = Covered(text);
        Assert.Equal($"\"Manifest-Checksum\": \"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(covered)))}\"}}\n", text[covered.Length..]);
    }

    [Theory]
    [InlineData("base/1/1259", "\"Path\": \"base/1/1259\"")]
    [InlineData("it's \"odd\"\\", "\"Path\": \"it's \\\"odd\\\"\\\\\"")]
    [InlineData("line\nand\u0001tab\t", "\"Path\": \"line\\u000aand\\u0001tab\\u0009\"")]
    [InlineData("größe/日本/😀", "\"Path\": \"größe/日本/😀\"")]
    public void A_name_keeps_whatever_it_holds(string path, string written) =>
        Assert.Contains("\n{ " + written + ", \"Size\": 7,", Written(150000, [File(path, 7, ManifestChecksum.None, "")]), StringComparison.Ordinal);

    [Fact]
    public void A_name_that_is_not_utf8_is_written_in_hexadecimal() => Assert.Contains(
        "{ \"Encoded-Path\": \"61ff2f62\", \"Size\": 7,",
        Written(150000, [new ManifestFile(new byte[] { 0x61, 0xff, 0x2f, 0x62 }, 7, Noon, ManifestChecksum.None, default)]),
        StringComparison.Ordinal);

    private static ManifestFile File(string path, long size, ManifestChecksum algorithm, string checksum) =>
        new(Encoding.UTF8.GetBytes(path), size, Noon, algorithm, Convert.FromHexString(checksum));

    private static string Covered(string text) => text[..text.IndexOf("\"Manifest-Checksum\"", StringComparison.Ordinal)];

    private static string Written(int version, ManifestFile[] files, params WalRange[] ranges)
    {
        var output = new ArrayBufferWriter<byte>();
        using var manifest = new BackupManifest(output, new PostgresVersion(version), ulong.MaxValue);
        foreach (ManifestFile file in files)
            manifest.Add(file);
        manifest.End(ranges);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}

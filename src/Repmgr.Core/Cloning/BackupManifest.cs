using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Repmgr.Core.Postgres;

namespace Repmgr.Core.Cloning;

/// <summary>By what a file in a manifest can be checked.</summary>
public enum ManifestChecksum
{
    /// <summary>By its size alone.</summary>
    None,

    /// <summary>Four bytes, as <see cref="Crc32C"/> gives them, in the machine's byte order.</summary>
    Crc32C,

    Sha256,
}

/// <summary>A file of a backup.</summary>
/// <param name="Path">From the data directory, with <c>/</c>; in a tablespace it begins with <c>pg_tblspc/OID/</c>. Its bytes, which need not be UTF-8.</param>
/// <param name="Size">In bytes.</param>
/// <param name="LastModified">Written to the second.</param>
/// <param name="Algorithm">What <paramref name="Checksum"/> is.</param>
/// <param name="Checksum">Empty for <see cref="ManifestChecksum.None"/>.</param>
public readonly record struct ManifestFile(
    ReadOnlyMemory<byte> Path, long Size, DateTimeOffset LastModified, ManifestChecksum Algorithm, ReadOnlyMemory<byte> Checksum);

/// <summary>WAL that must be replayed before a backup is consistent.</summary>
/// <param name="Timeline">Its timeline.</param>
/// <param name="Start">First position needed.</param>
/// <param name="End">The first no longer needed.</param>
public readonly record struct WalRange(uint Timeline, Lsn Start, Lsn End);

/// <summary>
/// Writes <c>backup_manifest</c> file by file, so that <c>pg_verifybackup</c> can prove a copy. Call <see cref="Add"/> for each file,
/// then <see cref="End"/> once. What was written to the output may be taken away after each call.
/// </summary>
/// <remarks>https://www.postgresql.org/docs/current/backup-manifest-format.html</remarks>
public sealed class BackupManifest : IDisposable
{
    /// <summary>Its name in the data directory.</summary>
    public const string FileName = "backup_manifest";

    /// <summary>The first that names the cluster in the manifest, in version 2 of the format.</summary>
    private const int FirstMajorWithIdentifier = 17;

    // The server refuses bytes that are not UTF-8 in JSON, and so does this.
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly IBufferWriter<byte> _output;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private bool _hasFiles;

    /// <param name="output">Takes the text.</param>
    /// <param name="version">Of the server that was copied: its <c>pg_verifybackup</c> is the one to read this.</param>
    /// <param name="systemIdentifier">Of its cluster.</param>
    public BackupManifest(IBufferWriter<byte> output, PostgresVersion version, ulong systemIdentifier)
    {
        _output = output;
        Write(version.Major >= FirstMajorWithIdentifier
            ? string.Create(CultureInfo.InvariantCulture, $"{{ \"PostgreSQL-Backup-Manifest-Version\": 2,\n\"System-Identifier\": {systemIdentifier},\n\"Files\": [")
            : "{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [");
    }

    public void Add(ManifestFile file)
    {
        var line = new StringBuilder(_hasFiles ? ",\n{ " : "\n{ ");
        _hasFiles = true;
        AppendPath(line, file.Path.Span);
        line.Append(CultureInfo.InvariantCulture, $", \"Size\": {file.Size}, \"Last-Modified\": \"{file.LastModified.UtcDateTime:yyyy-MM-dd HH:mm:ss} GMT\"");
        if (file.Algorithm != ManifestChecksum.None)
            line.Append(CultureInfo.InvariantCulture, $", \"Checksum-Algorithm\": \"{Name(file.Algorithm)}\", \"Checksum\": \"{Convert.ToHexStringLower(file.Checksum.Span)}\"");
        Write(line.Append(" }").ToString());
    }

    /// <summary>Closes the list of files and the manifest.</summary>
    /// <param name="ranges">In the order they are replayed. Empty where the copy holds no WAL to be replayed.</param>
    public void End(IEnumerable<WalRange> ranges)
    {
        Write("\n],\n\"WAL-Ranges\": [");
        string before = "\n";
        foreach (WalRange range in ranges)
        {
            Write(string.Create(
                CultureInfo.InvariantCulture, $"{before}{{ \"Timeline\": {range.Timeline}, \"Start-LSN\": \"{range.Start}\", \"End-LSN\": \"{range.End}\" }}"));
            before = ",\n";
        }

        Write("\n],\n");
        // The checksum covers all lines before its own.
        Write($"\"Manifest-Checksum\": \"{Convert.ToHexStringLower(_hash.GetHashAndReset())}\"}}\n");
    }

    public void Dispose() => _hash.Dispose();

    private static void AppendPath(StringBuilder line, ReadOnlySpan<byte> path)
    {
        string text;
        try
        {
            text = StrictUtf8.GetString(path);
        }
        catch (DecoderFallbackException)
        {
            line.Append("\"Encoded-Path\": \"").Append(Convert.ToHexStringLower(path)).Append('"');
            return;
        }

        line.Append("\"Path\": \"");
        foreach (char c in text)
        {
            if (c is '"' or '\\')
                line.Append('\\').Append(c);
            else if (c < ' ')
                line.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else
                line.Append(c);
        }

        line.Append('"');
    }

    private static string Name(ManifestChecksum algorithm) => algorithm == ManifestChecksum.Sha256 ? "SHA256" : "CRC32C";

    private void Write(string text)
    {
        Span<byte> bytes = _output.GetSpan(StrictUtf8.GetMaxByteCount(text.Length));
        int length = StrictUtf8.GetBytes(text, bytes);
        _hash.AppendData(bytes[..length]);
        _output.Advance(length);
    }
}

using System.Buffers;
using System.Text;
using Repmgr.Core.Cloning;
using Repmgr.Core.Postgres;

namespace Repmgr.Engine.Cloning.Direct;

/// <summary>What is known of a copy when its files are there: enough to write the manifest by which <c>pg_verifybackup</c> proves it.</summary>
/// <param name="Version">Of the source.</param>
/// <param name="SystemIdentifier">Of the cluster.</param>
/// <param name="Files">With their checksums; those at the top of the data directory are looked at when it is written.</param>
/// <param name="Wal">What must be replayed.</param>
/// <param name="At">When the copy was made.</param>
internal sealed record DirectManifest(PostgresVersion Version, ulong SystemIdentifier, IReadOnlyCollection<CopiedFile> Files, WalRange Wal, DateTimeOffset At)
{
    /// <summary>Writes it, durably. The control file may still wait under its other name.</summary>
    public void Write(string directory)
    {
        var text = new ArrayBufferWriter<byte>(1 << 16);
        string path = Path.Combine(directory, BackupManifest.FileName);
        string pending = Path.Combine(directory, CopyRules.PendingControlFile);
        using (var stream = new FileStream(path, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
        using (var manifest = new BackupManifest(text, Version, SystemIdentifier))
        {
            IEnumerable<CopiedFile> top = new DirectoryInfo(directory).EnumerateFiles().Where(file => IsPart(file.Name)).Select(file => OnDisk(file.FullName, file.Name));
            var garbage = new GarbageLimit();
            foreach (CopiedFile file in top.Append(OnDisk(pending, CopyRules.ControlFile)).Concat(Files.Where(file => file.Path.Contains('/', StringComparison.Ordinal))))
            {
                byte[] crc = BitConverter.GetBytes(file.Crc);
                manifest.Add(new ManifestFile(Encoding.UTF8.GetBytes(file.Path), file.Bytes, At, ManifestChecksum.Crc32C, crc));
                stream.Write(text.WrittenSpan);
                text.ResetWrittenCount();
                garbage.Hold();
            }

            manifest.End([Wal]);
            stream.Write(text.WrittenSpan);
            stream.Flush(flushToDisk: true);
        }
    }

    private static bool IsPart(string name) => name != BackupManifest.FileName && !name.StartsWith(CopyRules.OwnPrefix, StringComparison.Ordinal);

    private static CopiedFile OnDisk(string path, string name)
    {
        byte[] content = File.ReadAllBytes(path);
        return new CopiedFile(name, content.Length, Crc32C.Of(content));
    }
}

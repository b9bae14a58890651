using System.Buffers;
using System.Text;
using Repmgr.Core.Cloning;
using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Files;

namespace Repmgr.Engine.Cloning.Direct;

/// <summary>What is known of a copy when its files are there: enough to write the manifest by which <c>pg_verifybackup</c> proves it.</summary>
/// <param name="Version">Of the source.</param>
/// <param name="SystemIdentifier">Of the cluster.</param>
/// <param name="Files">With the CRC-32C of their contents; those at the top of the data directory are looked at when it is written.</param>
/// <param name="Wal">What must be replayed.</param>
/// <param name="At">When the copy was made.</param>
internal sealed record DirectManifest(PostgresVersion Version, ulong SystemIdentifier, FileList Files, WalRange Wal, DateTimeOffset At)
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
            IEnumerable<(ListedFile File, uint Crc)> top = new DirectoryInfo(directory).EnumerateFiles().Where(file => IsPart(file.Name)).Select(file => OnDisk(file.FullName, file.Name));
            var garbage = new GarbageLimit();
            foreach ((ListedFile file, uint crc) in top.Append(OnDisk(pending, CopyRules.ControlFile)).Concat(Files.Read(0, Files.End).Where(entry => entry.File.Path.Contains('/', StringComparison.Ordinal))))
            {
                manifest.Add(new ManifestFile(Encoding.UTF8.GetBytes(file.Path), file.Bytes, At, ManifestChecksum.Crc32C, BitConverter.GetBytes(crc)));
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

    private static (ListedFile File, uint Crc) OnDisk(string path, string name)
    {
        byte[] content = File.ReadAllBytes(path);
        return (new ListedFile(name, content.Length), Crc32C.Of(content));
    }
}

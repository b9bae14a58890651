using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;
using Repmgr.Core.Postgres.Wal;

namespace Repmgr.Engine.Failover;

/// <summary>
/// Whether the WAL of a server that nothing is known about is a beginning of another's: the end of it is compared, byte by byte. Two forks with one timeline number part in
/// their first record, which bears the time of its promotion; so what agrees up to its end lies on the other's history (R7, R13).
/// </summary>
internal sealed class CopyCheck(AgentNode node, Peers peers)
{
    private const int Piece = 64 * 1024;

    /// <summary>So much is compared. A fork lies at some record, and all after it differs.</summary>
    private const ulong Compared = 1024 * 1024;

    private static readonly TimeSpan Within = TimeSpan.FromSeconds(3);

    /// <summary>False also where it cannot be told.</summary>
    public async Task<bool> IsCopyOfAsync(NodeId other, CancellationToken cancel)
    {
        try
        {
            if (await WalOnDisk.EndAsync(node.DataDirectory, null, node.Binaries, cancel) is not { } end || WalOnDisk.Open(node.DataDirectory) is not { } wal)
                return false;
            using (wal)
                return await AgreesAsync(wal, end.Bytes, other, cancel);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private async Task<bool> AgreesAsync(WalOnDisk wal, ulong end, NodeId other, CancellationToken cancel)
    {
        byte[] own = new byte[Piece];
        ulong first = end > Compared ? (end - Compared) / Piece * Piece : 0;
        bool compared = false;
        for (ulong at = first; at < end; at += Piece)
        {
            string file = new WalFileName(wal.Timelines[0], at / wal.SegmentBytes).Text(wal.SegmentBytes);
            string path = string.Create(CultureInfo.InvariantCulture, $"{AgentApi.WalPath}{file}?offset={at % wal.SegmentBytes}");
            int length = (int)Math.Min(Piece, end - at);
            bool isHere = File.Exists(Path.Combine(node.DataDirectory, "pg_wal", file)) && wal.TryRead(new Lsn(at), own);
            // What is older than the copy itself is not there.
            if (!isHere && !compared)
                continue;
            if (!isHere || await peers.GetAsync(other, path, Within, cancel) is not { } theirs || theirs.Length < length || !theirs.AsSpan(0, length).SequenceEqual(own.AsSpan(0, length)))
                return false;
            compared = true;
        }

        return compared;
    }
}

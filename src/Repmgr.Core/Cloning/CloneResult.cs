using Repmgr.Core.Postgres;

namespace Repmgr.Core.Cloning;

/// <summary>What a clone did, whichever way it copied. A method that cannot say something leaves it null.</summary>
/// <param name="Method">How the files came.</param>
/// <param name="Jobs">Connections or processes that copied side by side.</param>
/// <param name="Duration">From the request for the backup to the copy being there, flushing not counted.</param>
public sealed record CloneResult(CloneMethod Method, int Jobs, TimeSpan Duration)
{
    /// <summary>Regular files of the copy, WAL not counted.</summary>
    public long? Files { get; init; }

    /// <summary>Their bytes.</summary>
    public long? BytesTotal { get; init; }

    /// <summary>Bytes of their contents that crossed the network; hashes and the protocol's own not counted.</summary>
    public long? BytesMoved { get; init; }

    /// <summary>Bytes that were here already and were compared with the source's.</summary>
    public long? BytesCompared { get; init; }

    /// <summary>Where recovery of the copy begins.</summary>
    public Lsn? StartLsn { get; init; }

    /// <summary>The copy is consistent when WAL has been replayed up to here.</summary>
    public Lsn? StopLsn { get; init; }
}

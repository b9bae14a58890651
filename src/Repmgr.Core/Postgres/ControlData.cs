using System.Globalization;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Postgres;

/// <summary>The state of a data directory as its control file has it.</summary>
/// <remarks>dbState() in src/bin/pg_controldata/pg_controldata.c; DBState in src/include/catalog/pg_control.h.</remarks>
public enum DatabaseState
{
    StartingUp,

    /// <summary>A primary, shut down cleanly.</summary>
    ShutDown,

    /// <summary>A standby, shut down cleanly.</summary>
    ShutDownInRecovery,

    ShuttingDown,

    /// <summary>Crashed or running in crash recovery.</summary>
    InCrashRecovery,

    /// <summary>Running, or crashed, as a standby.</summary>
    InArchiveRecovery,

    /// <summary>Running, or crashed, as a primary.</summary>
    InProduction,
}

/// <summary>What <c>pg_controldata</c> prints of a data directory.</summary>
/// <param name="SystemIdentifier">The cluster's identity, equal on a primary and all its copies.</param>
/// <param name="State">Of a running server it is the state at its last change, not necessarily now.</param>
/// <param name="Checkpoint">Where the latest checkpoint (or restartpoint) record stands.</param>
/// <param name="Redo">Where recovery would begin.</param>
/// <param name="Timeline">The timeline of the latest checkpoint.</param>
/// <param name="MinimumRecoveryEnd">Recovery must pass this point before the copy is consistent; zero when there is none.</param>
/// <param name="MinimumRecoveryTimeline">The timeline of <paramref name="MinimumRecoveryEnd"/>; 0 when there is none.</param>
/// <param name="BackupStart">Not zero: a base backup was restored and its end has not been replayed yet.</param>
/// <param name="DataChecksums">Pages carry checksums.</param>
/// <param name="WalLogHints"><c>wal_log_hints</c></param>
/// <param name="WalSegmentBytes">Bytes per WAL segment.</param>
/// <param name="ControlVersion">The format of the control file, for instance 1300 for PostgreSQL 13 to 16.</param>
/// <param name="CatalogVersion">The catalog's version number, different for each major version.</param>
/// <remarks>https://www.postgresql.org/docs/current/app-pgcontroldata.html</remarks>
public sealed record ControlData(
    ulong SystemIdentifier,
    DatabaseState State,
    Lsn Checkpoint,
    Lsn Redo,
    int Timeline,
    Lsn MinimumRecoveryEnd,
    int MinimumRecoveryTimeline,
    Lsn BackupStart,
    bool DataChecksums,
    bool WalLogHints,
    long WalSegmentBytes,
    int ControlVersion,
    int CatalogVersion)
{
    /// <summary>The server stopped in good order, so nothing is left to replay before it can be started in another role.</summary>
    public bool IsShutDownCleanly => State is DatabaseState.ShutDown or DatabaseState.ShutDownInRecovery;

    /// <summary>The last position that is known to be in the data, and its timeline.</summary>
    /// <remarks>A standby's minimum recovery end runs ahead of its last restartpoint; a primary has none.</remarks>
    public (int Timeline, Lsn Position) End =>
        MinimumRecoveryEnd > Checkpoint ? (MinimumRecoveryTimeline, MinimumRecoveryEnd) : (Timeline, Checkpoint);

    /// <summary>Reads the output of <c>pg_controldata</c> run with <c>LC_ALL=C</c>.</summary>
    /// <returns>False with a problem that names the missing line when the output is not what is expected.</returns>
    public static bool TryParse(string output, out ControlData? data, out Problem? problem)
    {
        var reader = new Reader(output);
        var parsed = new ControlData(
            reader.Number<ulong>("Database system identifier"),
            reader.State("Database cluster state"),
            reader.Lsn("Latest checkpoint location"),
            reader.Lsn("Latest checkpoint's REDO location"),
            reader.Number<int>("Latest checkpoint's TimeLineID"),
            reader.Lsn("Minimum recovery ending location"),
            reader.Number<int>("Min recovery ending loc's timeline"),
            reader.Lsn("Backup start location"),
            reader.Number<int>("Data page checksum version") != 0,
            reader.Text("wal_log_hints setting") == "on",
            reader.Number<long>("Bytes per WAL segment"),
            reader.Number<int>("pg_control version number"),
            reader.Number<int>("Catalog version number"));
        problem = reader.Missing is { } label
            ? new Problem("could not understand the output of pg_controldata", $"The line \"{label}\" is missing or has an unknown value.")
            : null;
        data = problem is null ? parsed : null;
        return problem is null;
    }

    private sealed class Reader
    {
        private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

        public Reader(string output)
        {
            foreach (string line in output.Split('\n'))
            {
                int colon = line.IndexOf(':', StringComparison.Ordinal);
                if (colon > 0)
                    _values.TryAdd(line[..colon].Trim(), line[(colon + 1)..].Trim());
            }
        }

        /// <summary>The first line that was not there or not understood.</summary>
        public string? Missing { get; private set; }

        public string? Text(string label)
        {
            if (_values.TryGetValue(label, out string? text))
                return text;

            Missing ??= label;
            return null;
        }

        public T Number<T>(string label) where T : struct, ISpanParsable<T>
        {
            if (T.TryParse(Text(label), CultureInfo.InvariantCulture, out T number))
                return number;

            Missing ??= label;
            return default;
        }

        public Lsn Lsn(string label)
        {
            if (Postgres.Lsn.TryParse(Text(label), out Lsn lsn))
                return lsn;

            Missing ??= label;
            return default;
        }

        public DatabaseState State(string label)
        {
            DatabaseState? state = Text(label) switch
            {
                "starting up" => DatabaseState.StartingUp,
                "shut down" => DatabaseState.ShutDown,
                "shut down in recovery" => DatabaseState.ShutDownInRecovery,
                "shutting down" => DatabaseState.ShuttingDown,
                "in crash recovery" => DatabaseState.InCrashRecovery,
                "in archive recovery" => DatabaseState.InArchiveRecovery,
                "in production" => DatabaseState.InProduction,
                _ => null,
            };
            if (state is null)
                Missing ??= label;
            return state ?? default;
        }
    }
}

using System.Data.Common;
using Repmgr.Core.Postgres;

namespace Repmgr.Engine.Metadata;

/// <summary>Nullable columns as nullable values.</summary>
internal static class ReaderExtensions
{
    public static string? TextOrNull(this DbDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetString(column);

    public static int? IntOrNull(this DbDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetInt32(column);

    public static Lsn? LsnOrNull(this DbDataReader reader, int column) =>
        !reader.IsDBNull(column) && Lsn.TryParse(reader.GetString(column), out Lsn lsn) ? lsn : null;
}

using Npgsql;

namespace Repmgr.Engine.Metadata;

/// <summary>
/// Changes of the metadata are made one after the other, so that two nodes that register at the same time do not both find an
/// id free, nor both create the schema.
/// </summary>
/// <remarks>https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS</remarks>
internal static class MetadataLock
{
    // "repmgr" in ASCII. Advisory locks are per database, and the number is ours alone.
    private const long Key = 0x7265_706D_6772;

    /// <summary>Begins a transaction that holds the lock to its end. Others' transactions are short; the deadline is the caller's.</summary>
    public static async Task<NpgsqlTransaction> BeginAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancel);
        try
        {
            await using NpgsqlCommand command = new("SELECT pg_advisory_xact_lock($1)", connection)
            {
                Parameters = { new() { Value = Key } },
            };
            await command.ExecuteNonQueryAsync(cancel);

            return transaction;
        }
        catch
        {
            await transaction.DisposeAsync();
            throw;
        }
    }
}

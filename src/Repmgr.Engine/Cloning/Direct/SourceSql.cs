namespace Repmgr.Engine.Cloning.Direct;

/// <summary>What the direct method asks the source. Names are looked up in <c>pg_catalog</c> alone.</summary>
/// <remarks>https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-GENFILE</remarks>
internal static class SourceSql
{
    /// <summary>Who answers, and how its files are laid out.</summary>
    public const string Identity =
        """
        SELECT (SELECT system_identifier FROM pg_control_system()), pg_postmaster_start_time()::text, pg_is_in_recovery(),
               current_setting('data_checksums') = 'on', current_setting('block_size')::int4,
               (SELECT setting::int4 FROM pg_settings WHERE name = 'segment_size'), current_setting('data_directory_mode')
        """;

    /// <summary>The timeline of the checkpoint that a backup begins with.</summary>
    public const string Timeline = "SELECT timeline_id::text FROM pg_control_checkpoint()";

    /// <summary>How far the WAL in <c>pg_wal</c> goes: what is flushed, or what a standby has received.</summary>
    public const string Written =
        """
        SELECT CASE WHEN pg_is_in_recovery() THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
                    ELSE pg_current_wal_flush_lsn() END::text
        """;

    public const string Tablespaces =
        "SELECT oid, spcname::text, pg_tablespace_location(oid) FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global') ORDER BY oid";

    /// <summary>Every file and directory, in one answer. $1: directories whose contents are not wanted, separated by line feeds. What vanishes meanwhile has no size.</summary>
    public const string List =
        """
        WITH RECURSIVE tree (path, isdir, size) AS (
            SELECT name, s.isdir, s.size
              FROM pg_ls_dir('.', true, false) AS name, pg_stat_file(name, true) AS s
            UNION ALL
            SELECT tree.path || '/' || name, s.isdir, s.size
              FROM tree, pg_ls_dir(tree.path, true, false) AS name, pg_stat_file(tree.path || '/' || name, true) AS s
             WHERE tree.isdir AND tree.path <> ALL (string_to_array($1, E'\n')) AND tree.path NOT LIKE '%pgsql\_tmp%'
        )
        SELECT path, isdir, size FROM tree WHERE isdir IS NOT NULL
        """;

    /// <summary>$1 paths, $2 offsets, $3 how many chunks of each, $4 bytes of a chunk. A chunk beyond the end is empty; of a file that is gone, null.</summary>
    public const string Fetch =
        """
        SELECT i.ord::int4, n::int4, pg_read_binary_file(i.path, i.off + n * $4, $4, true)
          FROM unnest($1, $2, $3) WITH ORDINALITY AS i (path, off, chunks, ord), generate_series(0, i.chunks - 1) AS n
        """;

    /// <summary>
    /// $1 paths, $2 offsets, $3 how many pages of each, $4 bytes of a page, $5 sixteen bytes for each page, $6 how many pages are read
    /// at once: the pages whose hash is not the one expected. Hash and content are of one and the same reading.
    /// </summary>
    /// <remarks>
    /// Each reading opens and closes the file, which for a single page takes as long as its hash. OFFSET 0 keeps the planner from
    /// reading a piece anew for every page of it.
    /// </remarks>
    public const string Compare =
        """
        SELECT piece.ord, page.n, page.content
          FROM (SELECT i.ord::int4, i.sums, first, least(i.pages - first, $6) AS pages,
                       pg_read_binary_file(i.path, i.off + first::int8 * $4, least(i.pages - first, $6)::int8 * $4, true) AS content
                  FROM unnest($1, $2, $3, $5) WITH ORDINALITY AS i (path, off, pages, sums, ord), generate_series(0, i.pages - 1, $6) AS first
                OFFSET 0) AS piece,
               LATERAL (SELECT first + k AS n, substring(piece.content FROM k * $4 + 1 FOR $4) AS content,
                               substring(piece.sums FROM (first + k) * 16 + 1 FOR 16) AS expected
                          FROM generate_series(0, piece.pages - 1) AS k
                        OFFSET 0) AS page
         WHERE page.content IS NULL OR substring(sha256(page.content) FROM 1 FOR 16) <> page.expected
        """;

    /// <summary>$1 path, $2 offset, $3 bytes.</summary>
    public const string Read = "SELECT pg_read_binary_file($1, $2, $3, true)";
}

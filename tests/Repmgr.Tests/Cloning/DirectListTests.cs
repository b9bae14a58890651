using Repmgr.Core.Cloning.Direct;
using Repmgr.Engine.Cloning.Direct;

namespace Repmgr.Tests.Cloning;

/// <summary>What of a source's data directory is copied by the direct method.</summary>
public sealed class DirectListTests
{
    private const string Version = "PG_17_202406281";

    [Theory]
    [InlineData("base/5/1259", "main", 1259u, 0u, false)]
    [InlineData("base/5/1259.12", "main", 1259u, 12u, false)]
    [InlineData("base/5/1259_fsm", "fsm", 1259u, 0u, false)]
    [InlineData("global/1262_vm.1", "vm", 1262u, 1u, false)]
    [InlineData("pg_tblspc/16385/PG_17_202406281/5/16386_init", "init", 16386u, 0u, false)]
    [InlineData("base/5/t3_16390", "main", 16390u, 0u, true)]
    [InlineData("base/5/t3_16390_fsm.2", "fsm", 16390u, 2u, true)]
    public void The_name_of_a_relations_file_says_all_of_it(string path, string fork, uint number, uint segment, bool temporary) =>
        Assert.Equal(new RelationFile(path[..path.LastIndexOf('/')], number, fork, segment, temporary), RelationFile.TryRead(path));

    [Theory]
    [InlineData("1259")]
    [InlineData("pg_xact/0000")]
    [InlineData("base/5/PG_VERSION")]
    [InlineData("base/5/pg_filenode.map")]
    [InlineData("base/5/1259_other")]
    [InlineData("base/5/1259.")]
    [InlineData("base/5/1259.1x")]
    [InlineData("base/5/t_1259")]
    [InlineData("base/five/1259")]
    [InlineData("pg_tblspc/16385/1259")]
    [InlineData("base/5/99999999999")]
    public void Other_files_are_no_relations(string path) => Assert.Null(RelationFile.TryRead(path));

    [Theory]
    [InlineData("postgresql.conf")]
    [InlineData("PG_VERSION")]
    [InlineData("base/5/1259")]
    [InlineData("base/5/1259_fsm")]
    [InlineData("base/5/16386_init")]
    [InlineData("base/5/pg_filenode.map")]
    [InlineData("pg_xact/0000")]
    [InlineData("pg_logical/replorigin_checkpoint")]
    [InlineData("log/postgresql.log")]
    [InlineData("pg_tblspc/16385/PG_17_202406281/5/16390")]
    [InlineData("server.key")]
    public void It_is_part_of_a_base_backup(string path) => Assert.Equal([path], Copied(path));

    [Theory]
    [InlineData("global/pg_control")]
    [InlineData("postmaster.pid")]
    [InlineData("postmaster.opts")]
    [InlineData("backup_label")]
    [InlineData("backup_label.old")]
    [InlineData("tablespace_map")]
    [InlineData("backup_manifest")]
    [InlineData("standby.signal")]
    [InlineData("recovery.signal")]
    [InlineData("postgresql.auto.conf.tmp")]
    [InlineData("current_logfiles")]
    [InlineData("repmgr_clone.unfinished")]
    [InlineData("postgresql.conf.before_clone")]
    [InlineData("lost+found")]
    [InlineData("pg_wal/000000010000000000000001")]
    [InlineData("pg_wal/archive_status/000000010000000000000001.done")]
    [InlineData("pg_replslot/one/state")]
    [InlineData("pg_dynshmem/mmap.1")]
    [InlineData("pg_notify/0000")]
    [InlineData("pg_serial/0000")]
    [InlineData("pg_snapshots/1")]
    [InlineData("pg_stat_tmp/global.stat")]
    [InlineData("pg_subtrans/0000")]
    [InlineData("base/5/pg_internal.init")]
    [InlineData("global/pg_internal.init.123")]
    [InlineData("base/pgsql_tmp/pgsql_tmp1.0")]
    [InlineData("pg_tblspc/16385/PG_17_202406281/pgsql_tmp/pgsql_tmp1.0")]
    [InlineData("pg_tblspc/16385/PG_16_202307071/5/16390")]
    [InlineData("pg_tblspc/16399/PG_17_202406281/5/16390")]
    [InlineData("base/5/t3_16390")]
    public void It_is_none_of_a_base_backup(string path) => Assert.Empty(Copied(path));

    [Fact]
    public void Of_an_unlogged_table_only_the_fork_comes_that_says_so()
    {
        Assert.Equal(
            ["base/5/16385", "base/5/16386_init", "base/5/163860", "base/5/16387", "base/6/16386"],
            Copied("base/5/16386", "base/5/16386.1", "base/5/16386_fsm", "base/5/16386_vm", "base/5/16386_init", "base/6/16386", "base/5/16387", "base/5/163860", "base/5/16385"));
    }

    [Fact]
    public void What_was_listed_twice_comes_once() =>
        Assert.Equal(["base/5/16385", "base/5/16386"], Copied("base/5/16386", "base/5/16385", "base/5/16386"));

    [Fact]
    public void Directories_come_before_what_is_in_them_and_empty_ones_stay()
    {
        using ListedTree tree = Tree(
            [
                new SourceEntry("base/5", true, 0), new SourceEntry("base", true, 0), new SourceEntry("pg_notify", true, 0), new SourceEntry("pg_replslot/one", true, 0),
                new SourceEntry("pg_wal/archive_status", true, 0), new SourceEntry("base/pgsql_tmp", true, 0), new SourceEntry("pg_tblspc/16385", true, 0), new SourceEntry("pg_tblspc/1", true, 0),
            ]);
        Assert.Equal(["base", "base/5", "pg_notify", "pg_tblspc/16385"], tree.Directories);
    }

    private static List<string> Copied(params string[] paths)
    {
        using ListedTree tree = Tree(paths.Select(path => new SourceEntry(path, false, 8192)));
        return [.. tree.Files.Select(file => file.Path)];
    }

    private static ListedTree Tree(IEnumerable<SourceEntry> entries)
    {
        var tree = new ListedTree(new CopyList([16385], Version), "/never/written");
        foreach (SourceEntry entry in entries)
            tree.Add(entry);
        return tree;
    }
}

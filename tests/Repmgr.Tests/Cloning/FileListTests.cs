using Repmgr.Core.Cloning.Direct;
using Repmgr.Engine.Cloning.Direct;

namespace Repmgr.Tests.Cloning;

/// <summary>Lists of files that are kept on disk, and their orders.</summary>
public sealed class FileListTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("repmgr-lists-").FullName;

    private string Somewhere => Path.Combine(_directory, "list");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void What_was_added_is_read_again_and_leaves_nothing_behind()
    {
        using var list = new FileList(Somewhere);
        List<(ListedFile File, uint Crc)> all = [.. Files(5000).Select((file, at) => (file, (uint)at)), (new ListedFile("log/" + new string('ü', 6000), 1L << 45), uint.MaxValue), (new ListedFile("", 0), 0)];
        var ends = new List<long> { 0 };
        foreach ((ListedFile file, uint crc) in all)
        {
            list.Add(file, crc);
            ends.Add(list.End);
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory));
        Assert.Equal(all, list.Read(0, list.End));
        Assert.Equal(all[100..4900], list.Read(ends[100], ends[4900]));
        Assert.Equal(all[^1], Assert.Single(list.Read(ends[^2], ends[^1])));
        Assert.Empty(list.Read(ends[7], ends[7]));
    }

    [Fact]
    public void A_list_that_was_read_goes_on()
    {
        using var list = new FileList(Somewhere);
        var all = new List<ListedFile>();
        foreach (ListedFile[] some in Files(3000).Chunk(700))
        {
            foreach (ListedFile file in some)
                list.Add(file);
            all.AddRange(some);
            Assert.Equal(all, list.Read(0, list.End).Select(entry => entry.File));
        }
    }

    [Fact]
    public void Any_number_of_runs_comes_out_in_order()
    {
        foreach (int count in new[] { 0, 1, 9, 10, 11, 20, 21, 1000 })
        {
            using var sorted = new SortedFiles(Somewhere, ListedFile.LargestFirst, run: 10);
            List<ListedFile> files = [.. Files(count)];
            foreach (ListedFile file in files)
                sorted.Add(file);
            Assert.Equal(files.Count, sorted.Count);
            Assert.Equal(files.Sum(file => file.Bytes), sorted.Bytes);
            files.Sort(ListedFile.LargestFirst);
            Assert.Equal(files, sorted.InOrder());
            Assert.Equal(files, sorted.InOrder());
        }
    }

    [Fact]
    public void A_list_that_was_cleared_has_only_what_came_since()
    {
        using var sorted = new SortedFiles(Somewhere, ListedFile.ByRelation, run: 10);
        foreach (ListedFile file in Files(95))
            sorted.Add(file);
        sorted.Clear();
        foreach (ListedFile file in Files(33))
            sorted.Add(file with { Path = "again/" + file.Path });
        Assert.Equal(33, sorted.Count);
        Assert.Equal(33, sorted.InOrder().Count(file => file.Path.StartsWith("again/", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_files_of_a_relation_stand_together_and_what_says_it_is_unlogged_before_them()
    {
        string[] paths =
        [
            "PG_VERSION", "base/5/PG_VERSION", "base/5/t3_16386", "base/5/16386_init", "base/5/16386", "base/5/16386.1", "base/5/16386_fsm", "base/5/163860", "base/50/1_init",
            "base/50/1", "global/1262", "pg_xact/0000",
        ];
        List<ListedFile> files = [.. paths.Select(path => new ListedFile(path, 0))];
        foreach ((ListedFile one, int at) in files.Select((file, at) => (file, at)))
            Assert.All(files.Select((other, place) => (other, place)), other => Assert.Equal(Math.Sign(at.CompareTo(other.place)), Math.Sign(ListedFile.ByRelation(one, other.other))));
    }

    [Fact]
    public void Two_lists_are_gone_through_side_by_side()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            var random = new Random(seed);
            List<ListedFile> all = [.. Files(random.Next(30))], here = Some(), there = Some();
            List<(ListedFile? Here, ListedFile? There)> pairs = [.. ListedFile.Pair(here, there)];
            Assert.Equal(here, pairs.Select(pair => pair.Here).OfType<ListedFile>());
            Assert.Equal(there, pairs.Select(pair => pair.There).OfType<ListedFile>());
            Assert.Equal(here.Intersect(there).Count(), pairs.Count(pair => pair is { Here: not null, There: not null }));
            Assert.All(pairs, pair => Assert.True(pair.Here is null || pair.There is null || pair.Here.Value.Path == pair.There.Value.Path));

            List<ListedFile> Some()
            {
                List<ListedFile> some = [.. all.Where(_ => random.Next(2) == 0)];
                some.Sort(ListedFile.ByRelation);
                return some;
            }
        }
    }

    private static IEnumerable<ListedFile> Files(int count)
    {
        var random = new Random(count);
        return Enumerable.Range(0, count).Select(at => new ListedFile($"base/{random.Next(3)}/{random.Next(5000)}_{at}", random.Next(50) * 8192));
    }
}

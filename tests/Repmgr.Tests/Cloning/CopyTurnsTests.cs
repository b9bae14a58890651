using Repmgr.Core.Cloning.Direct;

namespace Repmgr.Tests.Cloning;

public sealed class CopyTurnsTests
{
    private const long Megabyte = 1L << 20;

    [Fact]
    public void Each_stays_with_its_file_while_others_have_files_of_their_own()
    {
        using var turns = new CopyTurns(CopyParts.Split([File("a", 192 * Megabyte), File("b", 128 * Megabyte), File("c", 64 * Megabyte)]));
        CopyRequest one = turns.Next(null)!, other = turns.Next(null)!;
        Assert.Equal(("a", 0), At(one));
        Assert.Equal(("b", 0), At(other));
        other = turns.Next(other)!;
        Assert.Equal(("b", 1), At(other));
        one = turns.Next(one)!;
        Assert.Equal(("a", 1), At(one));
        other = turns.Next(other)!;
        Assert.Equal(("c", 0), At(other));
    }

    [Fact]
    public void When_every_file_is_begun_the_one_with_most_left_is_helped_with()
    {
        using var turns = new CopyTurns(CopyParts.Split([File("a", 256 * Megabyte), File("b", 128 * Megabyte)]));
        CopyRequest one = turns.Next(null)!, other = turns.Next(null)!;
        other = turns.Next(other)!;
        Assert.Equal(("b", 1), At(other));
        Assert.Equal(("a", 1), At(turns.Next(other)!));
        Assert.Equal(("a", 2), At(turns.Next(one)!));
    }

    [Fact]
    public void Whoever_asks_in_whatever_order_gets_each_part_once()
    {
        List<CopyRequest> requests = [.. CopyParts.Split(
            [.. Enumerable.Range(1, 9).Select(i => File($"big{i}", (10 - i) * 100 * Megabyte)), .. Enumerable.Range(0, 600).Select(i => File($"small{i}", 8192))])];
        for (int seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            using var turns = new CopyTurns(requests);
            CopyRequest?[] workers = new CopyRequest?[1 + random.Next(8)];
            var given = new List<CopyRequest>();
            for (int worker = 0; turns.Next(workers[worker]) is { } next; worker = random.Next(workers.Length))
            {
                workers[worker] = next;
                given.Add(next);
            }

            Assert.Equal(requests.Count, given.Distinct().Count());
            Assert.Equal(requests.Count, given.Count);
        }
    }

    [Fact]
    public void Files_are_taken_from_the_list_as_they_are_begun()
    {
        int taken = 0;
        using var turns = new CopyTurns(CopyParts.Split(Enumerable.Range(0, 100_000).Select(i => { taken++; return File($"file{i}", Megabyte); })));
        CopyRequest? one = null;
        for (int i = 0; i < 10; i++)
            one = turns.Next(one);
        Assert.Equal(("file9", 0), At(one!));
        Assert.Equal(11, taken);
    }

    private static (string Path, int Part) At(CopyRequest request) => (request.Parts[0].File.Path, request.Parts[0].Index);

    private static CopyFile File(string path, long bytes) => new(path, bytes, RelationFile.TryRead(path));
}

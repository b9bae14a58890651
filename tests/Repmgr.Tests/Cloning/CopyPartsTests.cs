using Repmgr.Core.Cloning.Direct;

namespace Repmgr.Tests.Cloning;

public sealed class CopyPartsTests
{
    private const long Gigabyte = 1L << 30;

    [Fact]
    public void A_large_file_is_spread_over_all_that_copy()
    {
        List<CopyRequest> requests = [.. CopyParts.Split([File("base/5/1", Gigabyte)])];
        Assert.Equal(16, requests.Count);
        Assert.All(requests, request => Assert.Equal(64L << 20, Assert.Single(request.Parts).Expected));
    }

    [Fact]
    public void Parts_come_in_the_order_of_the_files_and_small_files_share_a_request()
    {
        List<CopyRequest> requests =
            [.. CopyParts.Split([File("base/5/bigger", 200L << 20), File("base/5/big", 100L << 20), .. Enumerable.Range(0, 1000).Select(i => File($"base/5/{i}", 8192))])];
        Assert.Equal("base/5/bigger", requests[0].Parts[0].File.Path);
        Assert.Equal("base/5/big", requests[4].Parts[0].File.Path);
        Assert.Equal(4 + 2 + 4, requests.Count);
        Assert.All(requests.Skip(6), request => Assert.InRange(request.Parts.Count, 1, 256));
        Assert.Equal(1000, requests.Skip(6).SelectMany(request => request.Parts).Distinct().Count());
    }

    [Fact]
    public void Every_byte_is_asked_for_once_and_growth_up_to_the_end_of_a_chunk()
    {
        foreach (long bytes in new[] { 0, 1, 8191, 8192, CopyParts.Chunk - 1, CopyParts.Chunk, CopyParts.Chunk + 1, CopyParts.Longest, CopyParts.Longest + 1, Gigabyte })
        {
            CopyFile file = File("base/5/1", bytes);
            List<FilePart> parts = [.. CopyParts.Split([file]).SelectMany(request => request.Parts)];
            Assert.Equal(CopyParts.Count(file), parts.Count);
            Assert.Equal(Enumerable.Range(0, parts.Count), parts.Select(part => part.Index));
            long at = 0;
            foreach (FilePart part in parts)
            {
                Assert.Equal(at, part.Offset);
                Assert.Equal(0, part.Bytes % CopyParts.Chunk);
                at += part.Bytes;
            }

            Assert.InRange(at, Math.Max(bytes, CopyParts.Chunk), bytes + CopyParts.Chunk);
            Assert.Equal(bytes, parts.Sum(part => part.Expected));
        }
    }

    private static CopyFile File(string path, long bytes) => new(path, bytes, RelationFile.TryRead(path));
}

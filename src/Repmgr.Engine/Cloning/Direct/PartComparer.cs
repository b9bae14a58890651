using Npgsql;
using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Postgres;

namespace Repmgr.Engine.Cloning.Direct;

/// <summary>Brings parts that are here already up to date: what differs is written over.</summary>
internal sealed class PartComparer(DirectWork work, NpgsqlConnection connection, byte[] buffer, CancellationToken stop)
    : PageComparison<PartComparer.Slice>(work, connection, buffer, stop)
{
    private readonly DirectWork _work = work;

    public async Task<IReadOnlyList<PartSum>> CompareAsync(IReadOnlyList<FilePart> parts)
    {
        List<PartSum> sums = [.. parts.Select(part => new PartSum(part, _work.Meter))];
        await RunAsync(sums.SelectMany(sum => Stretches(sum.Part).Select(stretch => new Slice(sum, stretch.Offset, stretch.Pages)))).ConfigureAwait(false);
        return sums;
    }

    protected override FileStream Open(CopyFile file) => _work.Open(file);

    protected override void Hashed(Slice slice, int index, ReadOnlySpan<byte> page) => Set(slice, index, page);

    protected override void Differs(Slice slice, int index, FileStream? here, ReadOnlySpan<byte> theirs)
    {
        _work.Write(slice.File, here!, theirs, slice.Offset + ((long)index * _work.PageBytes));
        Set(slice, index, theirs);
    }

    protected override void IsGone(Slice slice, int index, FileStream? here) => slice.Sum.IsGone();

    protected override void End(Slice slice) => slice.Close(_work.PageBytes);

    private void Set(Slice slice, int index, ReadOnlySpan<byte> page) =>
        slice.Set(index, page.Length, Crc32C.Of(page), _work.IsSuspect(slice.File, (slice.Offset / _work.PageBytes) + index, page));

    /// <summary>Some pages of a part, and what is known of each.</summary>
    internal sealed class Slice(PartSum sum, long offset, int pages) : PageSlice(sum.Part.File, offset, pages)
    {
        private readonly uint[] _crcs = new uint[pages];
        private readonly int[] _lengths = new int[pages];
        private readonly bool[] _suspect = new bool[pages];

        public PartSum Sum => sum;

        public void Set(int index, int length, uint crc, bool isSuspect) =>
            (_lengths[index], _crcs[index], _suspect[index]) = (length, crc, isSuspect);

        public void Close(int pageBytes)
        {
            for (int index = 0; index < Pages && !sum.HasEnded; index++)
            {
                sum.Add(_lengths[index], pageBytes, _crcs[index]);
                if (_suspect[index])
                    sum.Suspects.Add(Offset + ((long)index * pageBytes));
            }
        }
    }
}

using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Postgres;

namespace Repmgr.Engine.Cloning.Direct;

/// <summary>Adds up what is known of one part, piece after piece in the order of the file.</summary>
internal sealed class PartSum(FilePart part, CopyMeter meter)
{
    private readonly long _expected = part.Expected;
    private long _bytes;
    private uint _crc;
    private long _reported;
    private bool _gone;

    public FilePart Part => part;

    /// <summary>The file ended within the part: what lies beyond is no longer of interest.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Pages that may be damaged, by their offset in the file.</summary>
    public List<long> Suspects { get; } = [];

    /// <param name="bytes">How much there was.</param>
    /// <param name="wanted">How much was asked for.</param>
    /// <param name="crc">CRC-32C of it.</param>
    public void Add(int bytes, int wanted, uint crc)
    {
        if (HasEnded)
            return;
        _crc = Crc32CJoin.Join(_crc, crc, bytes);
        _bytes += bytes;
        HasEnded = bytes < wanted;
        long done = Math.Min(_bytes, _expected);
        meter.Add(done - _reported);
        _reported = done;
    }

    public void IsGone() => _gone = HasEnded = true;

    /// <summary>The same bytes have another content now.</summary>
    public void Correct(uint crc) => _crc = crc;

    public long Bytes => _bytes;

    public CopiedPart Close()
    {
        meter.Add(_expected - _reported);
        return new CopiedPart(_gone ? null : _bytes, _crc);
    }
}

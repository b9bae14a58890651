using System.Buffers.Binary;
using System.Numerics;

namespace Repmgr.Core.Cloning;

/// <summary>Tells a whole control file from one that was read while the server wrote it.</summary>
/// <remarks>
/// The file ends its data with a CRC-32C over all that stands before it; where that is depends on the version
/// (ControlFileData in src/include/catalog/pg_control.h). So each place is tried: a torn file fits at none.
/// </remarks>
public static class ControlFileCheck
{
    // The data fits in one sector, so that a write of it is atomic on most disks: PG_CONTROL_MAX_SAFE_SIZE.
    private const int LargestData = 512;

    // System identifier, versions, state, time and checkpoint take more than this in every version.
    private const int SmallestData = 64;

    public static bool IsWhole(ReadOnlySpan<byte> file)
    {
        if (file.Length < LargestData)
            return false;

        uint crc = uint.MaxValue;
        for (int at = 0; at < LargestData; at++)
        {
            if (at >= SmallestData && at % sizeof(uint) == 0 && Stored(file[at..]) == ~crc)
                return true;
            crc = BitOperations.Crc32C(crc, file[at]);
        }

        return false;
    }

    private static uint Stored(ReadOnlySpan<byte> bytes) =>
        BitConverter.IsLittleEndian ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : BinaryPrimitives.ReadUInt32BigEndian(bytes);
}

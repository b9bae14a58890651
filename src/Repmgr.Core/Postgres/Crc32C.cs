using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Repmgr.Core.Postgres;

/// <summary>CRC-32C, as PostgreSQL uses it for WAL records, the control file and backup manifests.</summary>
/// <remarks>
/// By the processor's instruction where it has one. A value is begun with <see cref="Start"/>, carried through
/// <see cref="Append"/>, and closed with <see cref="End"/>: src/include/port/pg_crc32c.h.
/// </remarks>
public static class Crc32C
{
    public const uint Start = uint.MaxValue;

    /// <summary>Takes these bytes in.</summary>
    public static uint Append(uint state, ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (ulong word in words)
            state = BitOperations.Crc32C(state, BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word));
        foreach (byte rest in bytes[(words.Length * sizeof(ulong))..])
            state = BitOperations.Crc32C(state, rest);
        return state;
    }

    public static uint End(uint state) => ~state;

    /// <summary>Of these bytes alone.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes) => End(Append(Start, bytes));
}

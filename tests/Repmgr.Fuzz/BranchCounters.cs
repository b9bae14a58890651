using System.Runtime.InteropServices;
using SharpFuzz.Common;

namespace Repmgr.Fuzz;

/// <summary>The memory in which the instrumented assembly counts its branches.</summary>
internal sealed unsafe class BranchCounters
{
    public const int Size = 1 << 16;

    private readonly byte* _memory = (byte*)NativeMemory.AllocZeroed(Size);

    public BranchCounters() => Trace.SharedMem = _memory;

    private Span<byte> Counts => new(_memory, Size);

    public void Clear()
    {
        Counts.Clear();
        Trace.PrevLocation = 0;
    }

    /// <summary>Marks the magnitude of each count; true when one was not marked before.</summary>
    public bool AddTo(byte[] seen)
    {
        bool isNew = false;
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(Counts);
        for (int word = 0; word < words.Length; word++)
        {
            if (words[word] == 0)
                continue;

            for (int i = word * 8; i < (word + 1) * 8; i++)
            {
                byte magnitude = Magnitude(_memory[i]);
                isNew |= (seen[i] & magnitude) != magnitude;
                seen[i] |= magnitude;
            }
        }

        return isNew;
    }

    private static byte Magnitude(byte count) => count switch
    {
        0 => 0,
        1 => 1,
        2 => 2,
        3 => 4,
        < 8 => 8,
        < 16 => 16,
        < 32 => 32,
        < 128 => 64,
        _ => 128,
    };
}

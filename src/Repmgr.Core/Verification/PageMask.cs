using System.Runtime.InteropServices;

namespace Repmgr.Core.Verification;

/// <summary>
/// Takes out of a page what a primary and its standby need not agree on: each of them writes it without WAL, or replay writes it
/// in another way.
/// </summary>
/// <remarks>
/// What that is, PostgreSQL itself lists for <c>wal_consistency_checking</c>: src/backend/access/common/bufmask.c and the function
/// <c>…_mask()</c> of each access method. Which method a page belongs to is read from its special space, as the tail of its
/// header files has it "for the benefit of pg_filedump".
/// </remarks>
public static class PageMask
{
    // PageHeaderData in src/include/storage/bufpage.h.
    private const int ChecksumEnd = 10;
    private const int FlagsAt = 10;
    private const int LowerAt = 12;
    private const int UpperAt = 14;
    private const int SpecialAt = 16;
    private const int PruneXidAt = 20;
    private const int HeaderBytes = 24;
    private const int ItemBytes = 4;

    // PD_HAS_FREE_LINES, PD_PAGE_FULL, PD_ALL_VISIBLE.
    private const ushort HintFlags = 1 | 2 | 4;

    /// <summary>Masks in place.</summary>
    /// <param name="page">A whole page. One whose header makes no sense is masked as far as its header goes.</param>
    /// <param name="block">Its number within the relation.</param>
    public static void Apply(Span<byte> page, uint block)
    {
        page[..ChecksumEnd].Clear();
        page[PruneXidAt..HeaderBytes].Clear();
        ClearBits(page, FlagsAt, HintFlags);
        var layout = new Layout(U16(page, LowerAt), U16(page, UpperAt), U16(page, SpecialAt));
        if (layout.Lower < HeaderBytes || layout.Lower > layout.Upper || layout.Upper > layout.Special || layout.Special > page.Length)
            return;

        switch (page.Length - layout.Special)
        {
            case 0:
                Unused(page, layout);
                Heap(page, layout, block);
                break;
            case 8:
                SmallSpecial(page, layout, block);
                break;
            case 16:
                Unused(page, layout);
                LargeSpecial(page, layout);
                break;
            default:
                UnusedIfKept(page, layout);
                break;
        }
    }

    private static void SmallSpecial(Span<byte> page, Layout layout, uint block)
    {
        const uint sequenceMagic = 0x1717;
        const ushort spGist = 0xFF82;
        const ushort brinMeta = 0xF091;
        const ushort brinRegular = 0xF093;
        Span<byte> special = page[layout.Special..];
        ushort id = U16(special, 6);

        // A sequence writes WAL once in 32 values, and then what it will be, not what it is: seq_redo() in sequence.c.
        if (block == 0 && MemoryMarshal.Read<uint>(special) == sequenceMagic)
        {
            page[layout.Lower..layout.Special].Clear();
        }
        else if (id == spGist)
        {
            // The first page remembers which pages were used last, without WAL: SpGistUpdateMetaPage() in spgutils.c.
            bool isMeta = (U16(special, 0) & 1) != 0;
            if (isMeta)
                Content(page);
            // All others keep pd_lower, also when they have no items left: spg_mask() in spgxlog.c.
            Unused(page, layout);
        }
        else if (id is >= brinMeta and <= brinRegular)
        {
            if (id == brinRegular)
                Unused(page, layout);
            UnusedIfKept(page, layout);
            ClearBits(special, 4, 1); // BRIN_EVACUATE_PAGE
        }
        else
        {
            // GIN has no mark of its own. GIN_DELETED:
            if ((U16(special, 6) & 4) != 0 && (U16(special, 6) & 0xFF00) == 0)
                Content(page);
            UnusedIfKept(page, layout);
        }
    }

    private static void LargeSpecial(Span<byte> page, Layout layout)
    {
        const ushort hash = 0xFF80;
        const ushort gist = 0xFF81;
        Span<byte> special = page[layout.Special..];
        const int flagsAt = 12;
        ushort flags = U16(special, flagsAt);
        switch (U16(special, 14))
        {
            case hash:
                // LH_UNUSED_PAGE; LH_OVERFLOW_PAGE and LH_BUCKET_PAGE hold tuples.
                if ((flags & 0xF) == 0)
                    Content(page);
                else if ((flags & 3) != 0)
                    ItemFlags(page, layout);
                ClearBits(special, flagsAt, 128); // LH_PAGE_HAS_DEAD_TUPLES
                break;
            case gist:
                special[..8].Clear(); // The NSN is a position too.
                ClearBits(special, flagsAt, 8 | 16); // F_FOLLOW_RIGHT, F_HAS_GARBAGE
                if ((flags & 1) != 0) // F_LEAF
                    ItemFlags(page, layout);
                break;
            default:
                // B-tree: its last field is a vacuum cycle, which never gets as high as the others' marks.
                special[14..16].Clear();
                ClearBits(special, flagsAt, 32 | 64); // BTP_SPLIT_END, BTP_HAS_GARBAGE
                if ((flags & 4) != 0) // BTP_DELETED
                    Content(page);
                else if ((flags & 1) != 0) // BTP_LEAF
                    ItemFlags(page, layout);
                break;
        }
    }

    private static void Heap(Span<byte> page, Layout layout, uint block)
    {
        const int fieldsEnd = 22; // t_infomask is the last field of interest: HeapTupleHeaderData in htup_details.h.
        for (int at = HeaderBytes, number = 1; at + ItemBytes <= layout.Lower; at += ItemBytes, number++)
        {
            uint item = MemoryMarshal.Read<uint>(page[at..]);
            int offset = (int)(item & 0x7FFF);
            int length = (int)(item >> 17);
            bool isNormal = ((item >> 15) & 3) == 1;
            if (length == 0 || offset < layout.Upper || offset + length > layout.Special)
                continue;

            if (isNormal && length >= fieldsEnd)
                Tuple(page.Slice(offset, length), block, (ushort)number);
            int end = offset + length;
            page[end..Math.Min((end + 7) & ~7, layout.Special)].Clear();
        }
    }

    private static void Tuple(Span<byte> tuple, uint block, ushort number)
    {
        const int commandAt = 8;
        const int ctidAt = 12;
        const int infomaskAt = 20;
        const ushort frozen = 0x300; // HEAP_XMIN_COMMITTED and HEAP_XMIN_INVALID together.
        bool isFrozen = (U16(tuple, infomaskAt) & frozen) == frozen;
        // HEAP_XACT_MASK; of a frozen tuple HEAP_XMAX_COMMITTED and HEAP_XMAX_INVALID.
        ClearBits(tuple, infomaskAt, isFrozen ? (ushort)0xC00 : (ushort)0xFFF0);
        tuple[commandAt..ctidAt].Clear();

        // A speculative insertion has a token in the place of the position, which replay does not know.
        if (U16(tuple, ctidAt + 4) == 0xFFFE)
        {
            MemoryMarshal.Write(tuple[ctidAt..], (ushort)(block >> 16));
            MemoryMarshal.Write(tuple[(ctidAt + 2)..], (ushort)block);
            MemoryMarshal.Write(tuple[(ctidAt + 4)..], number);
        }
    }

    private static void Unused(Span<byte> page, Layout layout) => page[layout.Lower..layout.Upper].Clear();

    // Pages that hold no items may not keep pd_lower.
    private static void UnusedIfKept(Span<byte> page, Layout layout)
    {
        if (layout.Lower > HeaderBytes)
            Unused(page, layout);
    }

    // All but the header: replay makes a deleted page anew, where the primary leaves in it what was there.
    private static void Content(Span<byte> page)
    {
        page[LowerAt..SpecialAt].Clear();
        page[HeaderBytes..].Clear();
    }

    // LP_DEAD is set by whoever finds a tuple dead, standby or primary.
    private static void ItemFlags(Span<byte> page, Layout layout)
    {
        for (int at = HeaderBytes; at + ItemBytes <= layout.Lower; at += ItemBytes)
            MemoryMarshal.Write(page[at..], MemoryMarshal.Read<uint>(page[at..]) & ~(3u << 15));
    }

    private static ushort U16(ReadOnlySpan<byte> bytes, int at) => MemoryMarshal.Read<ushort>(bytes[at..]);

    private static void ClearBits(Span<byte> bytes, int at, ushort bits) =>
        MemoryMarshal.Write(bytes[at..], (ushort)(U16(bytes, at) & ~bits));

    /// <summary>Where the parts of a page begin: <c>pd_lower</c>, <c>pd_upper</c>, <c>pd_special</c>.</summary>
    private readonly record struct Layout(int Lower, int Upper, int Special);
}

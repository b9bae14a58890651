using System.Numerics;

namespace Repmgr.Core.Postgres;

/// <summary>Puts CRC-32Cs of pieces together: what was summed up side by side becomes the sum of the whole.</summary>
/// <remarks>
/// A CRC is linear over GF(2), so what n zero bytes do to it is a matrix of bits; those for the powers of two are kept.
/// The method is zlib's: crc32_combine() in its crc32.c.
/// </remarks>
public static class Crc32CJoin
{
    private static readonly uint[][] ZeroBytes = Operators();

    /// <summary>The CRC of one piece followed by another.</summary>
    /// <param name="first">Of the first.</param>
    /// <param name="second">Of the second.</param>
    /// <param name="secondBytes">Length of the second.</param>
    public static uint Join(uint first, uint second, long secondBytes)
    {
        for (int power = 0; secondBytes != 0; power++, secondBytes >>= 1)
        {
            if ((secondBytes & 1) != 0)
                first = Apply(ZeroBytes[power], first);
        }

        return first ^ second;
    }

    private static uint[][] Operators()
    {
        // One zero bit is a shift, and the polynomial (reflected) for the bit that falls out.
        uint[] bit = new uint[32];
        bit[0] = 0x82F63B78;
        for (int i = 1; i < 32; i++)
            bit[i] = 1u << (i - 1);
        uint[] zeros = Square(Square(Square(bit)));
        uint[][] operators = new uint[63][];
        for (int power = 0; power < operators.Length; power++, zeros = Square(zeros))
            operators[power] = zeros;
        return operators;
    }

    private static uint[] Square(uint[] matrix) => [.. matrix.Select(column => Apply(matrix, column))];

    private static uint Apply(uint[] matrix, uint vector)
    {
        uint sum = 0;
        for (; vector != 0; vector &= vector - 1)
            sum ^= matrix[BitOperations.TrailingZeroCount(vector)];
        return sum;
    }
}

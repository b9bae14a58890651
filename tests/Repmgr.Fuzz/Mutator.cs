using System.Text;
using Repmgr.Core.Postgres;
using Repmgr.Core.Settings;

namespace Repmgr.Fuzz;

/// <summary>Makes new inputs out of old ones: bytes changed, pieces removed, repeated, joined with another input, words put in.</summary>
internal sealed class Mutator(Random random)
{
    public const int MaxLength = 4096;

    private static readonly byte[][] Words =
    [
        .. SettingTable.Names.Concat(ConninfoKeyword.All.Select(keyword => keyword.Name))
            .Concat(["include ", "include_dir ", "postgresql://", "postgres://", "=", "'", "''", "\\", "\\'", "\\303\\244", "#", "\n", "%41", "%00", "[::1]", "://", "@", "/", "?", "&", ",", ":"])
            .Concat(["-1", "0", "2147483648", "99999999999999999999", "true", "5min", "/a=/b", "automatic", "ä", "\0", "\uFEFF", "verify-full", "65536"])
            .Select(Encoding.UTF8.GetBytes),
    ];

    public byte[] Change(List<byte[]> corpus)
    {
        // Half of the time one of the latest: they lead where few inputs have led.
        int from = random.Next(2) == 0 ? Math.Max(0, corpus.Count - 20) : 0;
        List<byte> input = [.. corpus[random.Next(from, corpus.Count)]];
        for (int changes = 1 << random.Next(5); changes > 0; changes--)
            ChangeOnce(input, corpus);
        return [.. input.Take(MaxLength)];
    }

    private void ChangeOnce(List<byte> input, List<byte[]> corpus)
    {
        int at = random.Next(input.Count + 1);
        int length = Math.Min(random.Next(1, 16), input.Count - at);
        switch (random.Next(8))
        {
            case 0 when at < input.Count:
                input[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when at < input.Count:
                input[at] = (byte)random.Next(256);
                break;
            case 2:
                input.Insert(at, (byte)random.Next(32, 127));
                break;
            case 3:
                input.RemoveRange(at, length);
                break;
            case 4:
                input.InsertRange(random.Next(input.Count + 1), input.GetRange(at, length));
                break;
            case 5:
                byte[] other = corpus[random.Next(corpus.Count)];
                int start = random.Next(other.Length + 1);
                input.InsertRange(at, other[start..random.Next(start, other.Length + 1)]);
                break;
            default:
                input.InsertRange(at, Words[random.Next(Words.Length)]);
                break;
        }
    }
}

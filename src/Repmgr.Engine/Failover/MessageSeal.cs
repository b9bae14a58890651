using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;

namespace Repmgr.Engine.Failover;

/// <summary>What a request is sealed over beside its body.</summary>
/// <param name="Sender">Who sends it.</param>
/// <param name="Boot">Random, drawn at the start of the sender.</param>
/// <param name="Number">Counts from 1 in one life of the sender.</param>
/// <param name="Audience">The boot of the agent it is meant for: what was recorded before that agent was started is of no use afterwards.</param>
internal sealed record SealedBy(VoterId Sender, ulong Boot, ulong Number, ulong Audience)
{
    public string Nonce => string.Create(CultureInfo.InvariantCulture, $"{Boot:x}.{Number}");

    public static SealedBy? Read(string? sender, string? nonce, string? audience)
    {
        if (sender?.Split('#') is not [var node, var state] || nonce?.Split('.') is not [var boot, var number]
            || !int.TryParse(node, NumberStyles.None, CultureInfo.InvariantCulture, out int id)
            || !ulong.TryParse(state, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong stateNumber)
            || !ulong.TryParse(boot, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong bootNumber)
            || !ulong.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out ulong count)
            || !ulong.TryParse(audience, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong audienceNumber))
            return null;
        return new SealedBy(new VoterId(new NodeId(id), stateNumber), bootNumber, count, audienceNumber);
    }
}

/// <summary>Seals what agents say with the cluster's secret: HMAC-SHA256 over method, path, sender, nonce, audience and body.</summary>
internal sealed class MessageSeal(byte[] secret)
{
    public string Of(string method, string path, SealedBy by, ReadOnlySpan<byte> body) =>
        Hex(string.Create(CultureInfo.InvariantCulture, $"repmgr-request\n{method}\n{path}\n{by.Sender}\n{by.Nonce}\n{by.Audience:x}\n"), body);

    /// <summary>A reply is bound to the nonce of its request, so that none can stand for another.</summary>
    public string OfReply(string nonce, int status, ReadOnlySpan<byte> body) =>
        Hex(string.Create(CultureInfo.InvariantCulture, $"repmgr-reply\n{nonce}\n{status}\n"), body);

    /// <summary>In a time that says nothing about where they differ.</summary>
    public static bool AreEqual(string? left, string right) =>
        left is not null && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(left), Encoding.ASCII.GetBytes(right));

    private string Hex(string head, ReadOnlySpan<byte> body)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret);
        hmac.AppendData(Encoding.UTF8.GetBytes(head));
        hmac.AppendData(body);
        return Convert.ToHexStringLower(hmac.GetHashAndReset());
    }
}

/// <summary>Remembers which nonces were used: of each life of a sender the highest number, and which of the last before it.</summary>
internal sealed class UsedNonces
{
    private const int Window = 64;
    private const int MostLives = 4096;

    private readonly Dictionary<(VoterId Sender, ulong Boot), (ulong Highest, ulong Seen)> _lives = [];
    private readonly Lock _lock = new();

    /// <summary>False: it was used before, or is so old that it may have been.</summary>
    public bool Use(SealedBy by)
    {
        lock (_lock)
        {
            if (!_lives.TryGetValue((by.Sender, by.Boot), out (ulong Highest, ulong Seen) life))
            {
                // Only who knows the secret gets here, and only by being started anew.
                if (_lives.Count >= MostLives)
                    return false;
                life = (0, 0);
            }

            if (by.Number > life.Highest)
            {
                ulong ahead = by.Number - life.Highest;
                _lives[(by.Sender, by.Boot)] = (by.Number, ahead >= Window ? 1 : (life.Seen << (int)ahead) | 1);
                return true;
            }

            ulong behind = life.Highest - by.Number;
            if (by.Number == 0 || behind >= Window || (life.Seen >> (int)behind & 1) != 0)
                return false;
            _lives[(by.Sender, by.Boot)] = (life.Highest, life.Seen | (1UL << (int)behind));
            return true;
        }
    }
}

using System.Globalization;

namespace Repmgr.Core.Postgres;

/// <summary>A server's version as <c>server_version_num</c> has it: 150018 is 15.18.</summary>
/// <remarks>https://www.postgresql.org/docs/current/libpq-status.html#LIBPQ-PQSERVERVERSION</remarks>
public readonly record struct PostgresVersion(int Number)
{
    /// <summary>The oldest major version served.</summary>
    public const int OldestMajor = 13;

    /// <summary>The newest major version tested. A newer one is refused with a clear sentence rather than guessed at.</summary>
    public const int NewestMajor = 19;

    public int Major => Number / 10000;

    public int Minor => Number % 10000;

    public bool IsSupported => Major is >= OldestMajor and <= NewestMajor;

    /// <summary>The major version in what a program prints for <c>--version</c>: <c>pg_ctl (PostgreSQL) 19rc1 (Debian …)</c>.</summary>
    /// <returns>Null when there is none, or it is of the time before version 10 (<c>9.6</c>).</returns>
    public static int? MajorInBanner(string banner)
    {
        const string before = "(PostgreSQL) ";
        int at = banner.IndexOf(before, StringComparison.Ordinal);
        if (at < 0)
            return null;

        string digits = new([.. banner.Skip(at + before.Length).TakeWhile(char.IsAsciiDigit)]);
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int major) && major >= 10 ? major : null;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}");
}

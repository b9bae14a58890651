using System.Buffers;
using System.Globalization;
using System.Text;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Postgres;

/// <summary><c>postgresql://user:password@host:port,host:port/dbname?keyword=value&amp;…</c></summary>
/// <remarks>https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS</remarks>
internal sealed class ConninfoUri
{
    private static readonly string[] Schemes = ["postgresql://", "postgres://"];

    private static readonly SearchValues<char> Blanks = SearchValues.Create(" \t\n\v\f\r");

    private readonly string _text;
    private int _at;
    private Conninfo _read = Conninfo.Empty;
    private Problem? _problem;

    private ConninfoUri(string text) => _text = text;

    public static bool IsUri(string text) => Schemes.Any(scheme => text.StartsWith(scheme, StringComparison.Ordinal));

    public static Problem? Read(string text, out Conninfo? conninfo)
    {
        ConninfoUri uri = new(text);
        uri._at = Schemes.First(scheme => text.StartsWith(scheme, StringComparison.Ordinal)).Length;
        bool good = uri.ReadUser() && uri.ReadHosts() && uri.ReadDatabase() && uri.ReadParameters();
        conninfo = good ? uri._read : null;
        return uri._problem;
    }

    /// <summary><c>user:password@</c>, if there is an <c>@</c> before the first slash.</summary>
    private bool ReadUser()
    {
        int end = _text.AsSpan(_at).IndexOfAny('@', '/');
        if (end < 0 || _text[_at + end] != '@')
            return true;

        string[] parts = _text.Substring(_at, end).Split(':', 2);
        _at += end + 1;
        return Store("user", parts[0]) && (parts.Length == 1 || Store("password", parts[1]));
    }

    /// <summary><c>host:port,[ipv6]:port,…</c> up to a slash or question mark.</summary>
    private bool ReadHosts()
    {
        List<string> hosts = [];
        List<string> ports = [];
        do
        {
            if (ReadHost() is not { } host)
                return false;

            hosts.Add(host);
            ports.Add(_at < _text.Length && _text[_at] == ':' ? Take(1, "/?,") : "");
        }
        while (_at < _text.Length && _text[_at] == ',' && ++_at <= _text.Length);

        // As in libpq: a list of nothing but commas still counts its members, a single nothing is not given.
        return Store("host", string.Join(',', hosts)) && Store("port", string.Join(',', ports));
    }

    private string? ReadHost()
    {
        if (_at >= _text.Length || _text[_at] != '[')
        {
            string host = Take(0, ":/?,");
            if (host.Contains('@', StringComparison.Ordinal))
                return Refuse("\"@\" stands twice before the first slash of the connection URI", "A \"@\" inside a user name, password or host is written %40.");

            return host;
        }

        int end = _text.IndexOf(']', _at);
        if (end < 0)
            return Refuse("the IPv6 address in the connection URI has no closing bracket", "It is written [address].");

        string address = _text[(_at + 1)..end];
        _at = end + 1;
        if (address.Length == 0)
            return Refuse("the IPv6 address in the connection URI is empty", "It is written [address].");
        if (_at < _text.Length && !":/?,".Contains(_text[_at], StringComparison.Ordinal))
            return Refuse("unexpected character after the IPv6 address in the connection URI", "After the bracket come \":\", \"/\", \"?\", \",\" or the end.");

        return address;
    }

    private bool ReadDatabase() => _at >= _text.Length || _text[_at] != '/' || Store("dbname", Take(1, "?"));

    private bool ReadParameters()
    {
        if (_at >= _text.Length)
            return true;

        _at++; // the question mark
        bool afterSecret = false;
        string[] parameters = _at == _text.Length ? [] : _text[_at..].Split('&');
        // As in libpq, an ampersand may end the list.
        foreach (string parameter in parameters is [_, .., ""] ? parameters[..^1] : parameters)
        {
            string[] parts = parameter.Split('=');
            if (parts.Length != 2)
            {
                Refuse(
                    parts.Length < 2 ? "missing \"=\" in a parameter of the connection URI" : "more than one \"=\" in a parameter of the connection URI",
                    "Parameters are written keyword=value&keyword=value; a \"=\" or \"&\" inside a value is written %3D or %26.");
                return false;
            }

            if (Decode(parts[0]) is not { } keyword || Decode(parts[1]) is not { } value)
                return false;

            // JDBC's way to say it, which libpq understands too.
            if ((keyword, value) is ("ssl", "true"))
                (keyword, value) = ("sslmode", "require");
            if (ConninfoKeyword.Find(keyword) is not { } known)
            {
                _problem = KeywordValueSyntax.Unknown(keyword, _at, afterSecret);
                return false;
            }

            _read = _read.WithPair(keyword, value);
            _at += parameter.Length + 1;
            afterSecret = known.IsSecret;
        }

        return true;
    }

    /// <summary>What stands from here, after <paramref name="skip"/> characters, to the first of <paramref name="ends"/>.</summary>
    private string Take(int skip, string ends)
    {
        int start = _at + skip;
        int length = _text.AsSpan(start).IndexOfAny(ends);
        _at = length < 0 ? _text.Length : start + length;
        return _text[start.._at];
    }

    /// <summary>Stores a decoded value; an empty one counts as not given.</summary>
    private bool Store(string keyword, string encoded)
    {
        if (encoded.Length == 0)
            return true;
        if (Decode(encoded) is not { } value)
            return false;

        _read = _read.WithPair(keyword, value);
        return true;
    }

    private string? Decode(string encoded)
    {
        if (encoded.AsSpan().ContainsAny(Blanks))
            return Refuse("a blank stands in the connection URI", "A blank is written %20.");
        if (!encoded.Contains('%', StringComparison.Ordinal))
            return encoded;

        byte[] bytes = Encoding.UTF8.GetBytes(encoded);
        List<byte> decoded = new(bytes.Length);
        for (int i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] != '%')
                decoded.Add(bytes[i]);
            else if (i + 2 < bytes.Length
                && byte.TryParse(bytes.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte value)
                && value != 0)
            {
                decoded.Add(value);
                i += 2;
            }
            else
                return Refuse("a \"%\" in the connection URI is not followed by two hexadecimal digits other than 00", "A \"%\" inside a value is written %25.");
        }

        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString([.. decoded]);
        }
        catch (DecoderFallbackException)
        {
            return Refuse("a value in the connection URI is not UTF-8 after decoding", "Encode each byte of the UTF-8 form as %XX.");
        }
    }

    private string? Refuse(string message, string hint)
    {
        _problem = new Problem(message, Hint: hint);
        return null;
    }
}

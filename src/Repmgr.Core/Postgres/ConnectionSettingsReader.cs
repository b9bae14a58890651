using System.Globalization;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Postgres;

/// <summary>Reads and checks the values of a connection string. All that is wrong is reported together.</summary>
/// <remarks>https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS</remarks>
public sealed class ConnectionSettingsReader
{
    private static readonly string[] AuthMethods = ["password", "md5", "gss", "sspi", "scram-sha-256", "none"];

    private readonly Conninfo _conninfo;
    private readonly List<Problem> _problems = [];

    private ConnectionSettingsReader(Conninfo conninfo) => _conninfo = conninfo;

    /// <summary>What is wrong with the values of a connection string, whatever it lacks.</summary>
    public static IReadOnlyList<Problem> Check(Conninfo conninfo)
    {
        Read(conninfo, new ConnectionDefaults("user", "/tmp"), out IReadOnlyList<Problem> problems);
        return problems;
    }

    /// <summary>The settings, or null and every problem.</summary>
    /// <param name="conninfo">The string, with service and environment merged in.</param>
    /// <param name="defaults">What is taken for values that are given nowhere.</param>
    /// <param name="problems">Empty when there are settings.</param>
    public static ConnectionSettings? Read(Conninfo conninfo, ConnectionDefaults defaults, out IReadOnlyList<Problem> problems)
    {
        ArgumentNullException.ThrowIfNull(conninfo);
        ArgumentNullException.ThrowIfNull(defaults);
        ConnectionSettingsReader reader = new(conninfo);
        ConnectionSettings settings = reader.Read(defaults);
        problems = reader._problems;
        return problems.Count == 0 ? settings : null;
    }

    private ConnectionSettings Read(ConnectionDefaults defaults)
    {
        foreach (string keyword in _conninfo.Keywords)
            CheckKeyword(keyword, Value(keyword));

        string user = Value("user") ?? defaults.User;
        ConnectionSettings settings = new()
        {
            Hosts = ReadHosts(defaults.SocketDirectory),
            User = user,
            Database = Value("dbname") ?? user,
            Password = Value("password"),
            Passfile = Value("passfile"),
            ConnectTimeout = Integer("connect_timeout") is { } timeout ? TimeSpan.FromSeconds(Math.Max(0, timeout)) : null,
            ApplicationName = Value("application_name") ?? Value("fallback_application_name"),
            Options = Value("options"),
            RandomHost = Value("load_balance_hosts") == "random",
            Attributes = Word("target_session_attrs", SessionAttributes.Any),
            TlsMode = Word("sslmode", TlsMode.Prefer),
            DirectTls = Value("sslnegotiation") == "direct",
            RootCertificate = Value("sslrootcert"),
            ClientCertificate = Value("sslcert"),
            ClientKey = Value("sslkey"),
            ClientKeyPassword = Value("sslpassword"),
            ClientCertificateMode = Word("sslcertmode", ClientCertificateMode.Allow),
            ServerNameIndication = Value("sslsni") != "0",
            MinTls = Word("ssl_min_protocol_version", TlsVersion.Tls12),
            MaxTls = Value("ssl_max_protocol_version") is null ? null : Word("ssl_max_protocol_version", TlsVersion.Tls13),
            ChannelBinding = Word("channel_binding", Preference.Prefer),
            RequireAuth = Value("require_auth"),
            KeepAlive = Integer("keepalives") != 0,
            KeepAliveIdle = Positive("keepalives_idle") is { } idle ? TimeSpan.FromSeconds(idle) : null,
            KeepAliveInterval = Positive("keepalives_interval") is { } interval ? TimeSpan.FromSeconds(interval) : null,
            KeepAliveCount = Positive("keepalives_count"),
            TcpUserTimeout = Positive("tcp_user_timeout") is { } give ? TimeSpan.FromMilliseconds(give) : null,
        };
        CheckTogether(settings);
        return settings;
    }

    /// <summary>The value, or null when it is not given or empty; libpq treats both alike wherever it has a default.</summary>
    private string? Value(string keyword) => _conninfo[keyword] is { Length: > 0 } value ? value : null;

    private void CheckKeyword(string name, string? value)
    {
        ConninfoKeyword keyword = ConninfoKeyword.Find(name)!;
        if (value is null)
            return;

        if (keyword.Kind == ValueKind.Integer && !TryReadInteger(value, out _))
            Invalid(name, value, "It must be an integer.");
        else if (keyword.Kind == ValueKind.Flag && value is not ("0" or "1"))
            Invalid(name, value, "It must be 0 or 1.");
        else if (keyword.Kind == ValueKind.Word && !keyword.Words.Contains(value, WordComparer(name)))
            Invalid(name, value, $"It must be one of {string.Join(", ", keyword.Words)}.");
        else if (keyword.Refused is { } reason && !keyword.Harmless.Contains(value, StringComparer.OrdinalIgnoreCase))
            _problems.Add(new Problem($"connection parameter \"{name}\" cannot be honoured", reason, Remove(keyword)));
    }

    /// <summary>libpq compares the versions of TLS without regard to case, all other words exactly.</summary>
    private static StringComparer WordComparer(string keyword) =>
        keyword.StartsWith("ssl_m", StringComparison.Ordinal) ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal;

    private static string Remove(ConninfoKeyword keyword) => keyword.Variable is { } variable
        ? $"Remove it from the connection string, the service file or the environment ({variable})."
        : "Remove it from the connection string or the service file.";

    private List<HostTarget> ReadHosts(string socketDirectory)
    {
        string[] names = Value("host")?.Split(',') ?? [];
        string[] addresses = Value("hostaddr")?.Split(',') ?? [];
        string[] ports = Value("port")?.Split(',') ?? [];
        int count = Math.Max(1, Math.Max(names.Length, addresses.Length));
        if (names.Length > 0 && addresses.Length > 0 && names.Length != addresses.Length)
            _problems.Add(new Problem($"\"host\" and \"hostaddr\" do not list the same number of hosts", $"They list {names.Length} and {addresses.Length}."));
        if (ports.Length > 1 && ports.Length != count)
            _problems.Add(new Problem($"\"port\" does not list as many ports as there are hosts", $"There are {count} hosts and {ports.Length} ports.", "One port serves all hosts."));

        List<HostTarget> hosts = [];
        for (int i = 0; i < count; i++)
        {
            string name = names.ElementAtOrDefault(i) ?? "";
            string? address = addresses.ElementAtOrDefault(i) is { Length: > 0 } given ? given : null;
            CheckAddress(address);
            string port = (ports.Length == 1 ? ports[0] : ports.ElementAtOrDefault(i)) ?? "";
            hosts.Add(new HostTarget(name.Length == 0 && address is null ? socketDirectory : name, address, ReadPort(port)));
        }

        return hosts;
    }

    private void CheckAddress(string? address)
    {
        if (address is not null && !System.Net.IPAddress.TryParse(address, out _))
            Invalid("hostaddr", address, "It must be a numeric address; a name belongs into \"host\".");
    }

    private int ReadPort(string text)
    {
        if (text.Length == 0)
            return 5432;
        if (TryReadInteger(text, out int port) && port is >= 1 and <= 65535)
            return port;

        // Not repeated: in a URI, the rest of a password that was not encoded lands here.
        _problems.Add(new Problem("invalid value for connection parameter \"port\"", "It must be an integer from 1 to 65535."));
        return 5432;
    }

    private void CheckTogether(ConnectionSettings settings)
    {
        if (settings.DirectTls && settings.TlsMode < TlsMode.Require)
        {
            _problems.Add(new Problem(
                $"\"sslnegotiation=direct\" needs \"sslmode=require\" or stronger", $"The value of \"sslmode\" is {Value("sslmode") ?? "prefer"}."));
        }

        if (settings.RootCertificate == "system" && Value("sslmode") is not (null or "verify-full"))
        {
            _problems.Add(new Problem(
                "\"sslrootcert=system\" needs \"sslmode=verify-full\"",
                $"The value of \"sslmode\" is {Value("sslmode")}; any holder of a public certificate could pose as the server."));
        }

        if (settings.MaxTls < settings.MinTls)
            _problems.Add(new Problem("\"ssl_max_protocol_version\" is lower than \"ssl_min_protocol_version\"", "Versions below TLSv1.2 are not spoken."));

        foreach (string method in settings.RequireAuth?.Split(',') ?? [])
        {
            if (!AuthMethods.Contains(method.TrimStart('!').Trim(), StringComparer.Ordinal))
                Invalid("require_auth", settings.RequireAuth!, $"It must list {string.Join(", ", AuthMethods)}, each at most once, all or none with \"!\" before them.");
        }

        if (Value("replication") is { } replication && replication.ToLowerInvariant() is not ("false" or "off" or "no" or "0"))
        {
            _problems.Add(new Problem(
                "connection parameter \"replication\" cannot be honoured",
                "The connection is used for SQL; those for streaming are made where they are needed.",
                "Remove it from the connection string or the service file."));
        }
    }

    private int? Integer(string keyword) => Value(keyword) is { } value && TryReadInteger(value, out int number) ? number : null;

    /// <summary>Zero and less stand for the system's value.</summary>
    private int? Positive(string keyword) => Integer(keyword) is { } number and > 0 ? number : null;

    /// <summary>The word's position in the keyword's list is the value of the enumeration.</summary>
    private T Word<T>(string keyword, T otherwise)
        where T : struct, Enum
    {
        if (Value(keyword) is not { } value)
            return keyword == "sslmode" && Value("sslrootcert") == "system" ? Enum.GetValues<T>()[(int)TlsMode.VerifyFull] : otherwise;

        int index = ConninfoKeyword.Find(keyword)!.Words.ToList().FindIndex(word => WordComparer(keyword).Equals(word, value));
        return index < 0 ? otherwise : Enum.GetValues<T>()[index];
    }

    private void Invalid(string keyword, string value, string detail) =>
        _problems.Add(new Problem($"invalid value \"{value}\" for connection parameter \"{keyword}\"", detail));

    private static bool TryReadInteger(string text, out int number) =>
        int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out number);
}

/// <summary>What is taken for values that are given nowhere.</summary>
/// <param name="User">The operating system's user.</param>
/// <param name="SocketDirectory">Where the sockets of servers on this machine are.</param>
public sealed record ConnectionDefaults(string User, string SocketDirectory);

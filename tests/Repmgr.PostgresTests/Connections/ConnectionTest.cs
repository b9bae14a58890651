using System.Globalization;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Postgres;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Connections;

/// <summary>A test of the connector, in this process, with surroundings of its own.</summary>
public abstract class ConnectionTest : LabTest
{
    /// <summary>The environment variables the connector sees.</summary>
    protected Dictionary<string, string> Variables { get; } = [];

    /// <summary>The home directory the connector sees.</summary>
    protected string Home => Path.Combine(Lab.Directory, "home");

    /// <summary>Where the connector looks for sockets of servers on this machine.</summary>
    protected List<string> SocketDirectories { get; } = [];

    protected async Task<ConnectResult> TryAsync(string conninfo, TimeSpan? within = null)
    {
        Assert.True(Conninfo.TryParse(conninfo, out Conninfo? parsed, out var problem), problem?.Message);
        return await Connector().OpenAsync(parsed, within ?? Seconds(5), TestContext.Current.CancellationToken);
    }

    /// <summary>Logs in as a standby does.</summary>
    protected async Task<ReplicationAnswer> IdentifyAsync(string conninfo)
    {
        Assert.True(Conninfo.TryParse(conninfo, out Conninfo? parsed, out var problem), problem?.Message);
        return await new ReplicationLogin(Connector()).IdentifyAsync(parsed, TestContext.Current.CancellationToken);
    }

    private PostgresConnector Connector() => new(new ConninfoEnvironment(Variables, "nobody", Home)
    {
        SocketDirectories = SocketDirectories.Count > 0 ? SocketDirectories : ["/nowhere"],
        SystemDirectories = [Path.Combine(Lab.Directory, "etc")],
    });

    /// <summary>Connects, or fails the test with the reason.</summary>
    protected async Task<PostgresSession> OpenAsync(string conninfo)
    {
        ConnectResult result = await TryAsync(conninfo);
        Assert.True(result is ConnectResult.Opened, result.Failure);
        return ((ConnectResult.Opened)result).Session;
    }

    /// <summary>Connects, and asks one question.</summary>
    protected async Task<T?> AskAsync<T>(string conninfo, string sql)
    {
        await using PostgresSession session = await OpenAsync(conninfo);
        Answer<T?> answer = await session.ScalarAsync<T>(sql, Seconds(10), TestContext.Current.CancellationToken);
        return Assert.IsType<Answer<T?>.Got>(answer).Value;
    }

    /// <summary>The reason why the server, or the connector itself, does not let us in.</summary>
    protected async Task<ConnectResult.Rejected> RejectionAsync(string conninfo)
    {
        ConnectResult result = await TryAsync(conninfo);
        if (result is ConnectResult.Opened opened)
            await opened.Session.DisposeAsync();
        return Assert.IsType<ConnectResult.Rejected>(result);
    }

    /// <summary>A file in the home directory of the connector.</summary>
    protected string WriteHome(string name, string text, string mode = "600")
    {
        string path = Path.Combine(Home, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, (UnixFileMode)Convert.ToInt32(mode, 8));
        return path;
    }

    protected static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}

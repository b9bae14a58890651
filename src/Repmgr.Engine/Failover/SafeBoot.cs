using System.Text;
using Repmgr.Engine.Files;

namespace Repmgr.Engine.Failover;

/// <summary>
/// Whatever starts the server of a node, it comes up as a standby (R5): <c>standby.signal</c> lies in its data directory always, and while
/// a promotion has removed it, a line in <c>postgresql.auto.conf</c> keeps the server from being started at all.
/// </summary>
/// <remarks>
/// PostgreSQL reads the signal file at start only, and removes it when it promotes. A parameter that it does not know makes a reload ignore
/// the whole file, and a start refuse it. Tried on 13, 15, 17, 18 and 19.
/// </remarks>
internal static class SafeBoot
{
    private const string Line = "repmgr_promotion_under_way = 'remove this line only when standby.signal is in the data directory'\n";

    /// <summary>Keeps the server from being started while <c>standby.signal</c> is away. Durable.</summary>
    public static void Close(string dataDirectory)
    {
        string path = AutoConf.PathIn(dataDirectory);
        string text = Read(path);
        if (!text.Contains(Line, StringComparison.Ordinal))
            DurableFile.Replace(path, Encoding.Latin1.GetBytes(text.Length == 0 || text.EndsWith('\n') ? text + Line : text + "\n" + Line));
    }

    /// <summary>Puts the signal file in place, and only then removes the line. Durable. Repeating it changes nothing.</summary>
    public static void Open(string dataDirectory)
    {
        SignalFiles.WriteStandby(dataDirectory);
        string path = AutoConf.PathIn(dataDirectory);
        string text = Read(path);
        if (text.Contains(Line, StringComparison.Ordinal))
            DurableFile.Replace(path, Encoding.Latin1.GetBytes(text.Replace(Line, "", StringComparison.Ordinal)));
    }

    private static string Read(string path) => File.Exists(path) ? Encoding.Latin1.GetString(File.ReadAllBytes(path)) : "";
}

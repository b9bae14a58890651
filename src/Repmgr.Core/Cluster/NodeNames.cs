using System.Text;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Cluster;

/// <summary>Which names nodes may have.</summary>
public static class NodeNames
{
    /// <summary>
    /// The name becomes the standby's application_name, which PostgreSQL cuts to 63 bytes and strips of what is not printable ASCII:
    /// another name would never be found in <c>pg_stat_replication</c> again.
    /// </summary>
    /// <remarks>https://www.postgresql.org/docs/current/runtime-config-logging.html#GUC-APPLICATION-NAME</remarks>
    public static Problem? Judge(string name)
    {
        const int Longest = 63;
        string? wrong = name switch
        {
            "" => "It is empty.",
            _ when Encoding.UTF8.GetByteCount(name) > Longest => $"It has {Encoding.UTF8.GetByteCount(name)} bytes; at most {Longest} are possible.",
            _ when name.Any(c => c is < ' ' or > '~') => "It holds characters other than printable ASCII.",
            _ when name.Trim() != name => "It begins or ends with a space.",
            _ => null,
        };
        return wrong is null ? null : new Problem($"\"{name}\" cannot be the name of a node", wrong, "Set another \"node_name\" in repmgr.conf.");
    }
}

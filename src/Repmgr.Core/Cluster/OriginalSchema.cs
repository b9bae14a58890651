using System.Text;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Cluster;

/// <summary>Schema <c>repmgr_CLUSTER</c> of repmgr 1, which now holds views.</summary>
public static class OriginalSchema
{
    public static string NameFor(string cluster) => $"repmgr_{cluster}";

    /// <summary>A name that the server would cut, so that it meant another schema, or that holds what no text can.</summary>
    public static Problem? Judge(string cluster)
    {
        if (cluster.Contains('\0', StringComparison.Ordinal))
            return new Problem("the cluster's name holds a NUL character");

        int bytes = Encoding.UTF8.GetByteCount(NameFor(cluster));
        return bytes <= SqlText.LongestNameBytes
            ? null
            : new Problem(
                "the cluster's name is too long",
                Detail: $"Schema \"{NameFor(cluster)}\" would have a name of {bytes} bytes; PostgreSQL keeps {SqlText.LongestNameBytes}.",
                Hint: "Set a shorter \"cluster\" in repmgr.conf.");
    }
}

using Repmgr.Core.Hosts;
using Repmgr.Engine.Files;

namespace Repmgr.Engine.Cloning;

/// <summary>Tablespaces that an old copy has and the new one will not have, or not there.</summary>
internal static class OldTablespaces
{
    private const string Links = "pg_tblspc";

    /// <summary>The tablespace directories of the clusters on this host that run, or are in Debian's layout.</summary>
    /// <param name="host">What was seen of it.</param>
    /// <param name="except">A data directory that does not count.</param>
    public static IReadOnlyList<string> OfOthers(HostFacts host, string except) =>
    [
        .. host.Postmasters.Select(server => server.DataDirectory).Concat(host.DebianClusters.Select(cluster => cluster.DataDirectory))
            .Distinct().Where(directory => NativeFile.IsSame(directory, except) != true).SelectMany(LinkedFrom).Select(link => link.Directory),
    ];

    /// <summary>
    /// Deletes what the old copy kept in directories that will no longer be its tablespaces: in each the directory of its version, and nothing
    /// else. Its link tells that it was its own; what another cluster uses, or the new copy will use, stays.
    /// </summary>
    /// <param name="dataDirectory">The old copy.</param>
    /// <param name="versionDirectory">The directory in each tablespace that belongs to the cluster.</param>
    /// <param name="kept">The tablespaces of the new copy: name of the link, directory.</param>
    /// <param name="others">Directories of other clusters.</param>
    public static void Delete(string dataDirectory, string versionDirectory, IReadOnlyCollection<(string Link, string Directory)> kept, IReadOnlyList<string> others)
    {
        foreach ((string link, string directory) in LinkedFrom(dataDirectory))
        {
            bool stays = kept.Any(space => Path.GetFileName(link) == space.Link && IsSame(directory, space.Directory));
            if (stays)
                continue;
            string version = Path.Combine(directory, versionDirectory);
            if (!others.Concat(kept.Select(space => space.Directory)).Any(used => IsSame(directory, used)) && Directory.Exists(version))
                Directory.Delete(version, recursive: true);
            File.Delete(link);
        }
    }

    public static bool IsSame(string one, string other) => one.TrimEnd('/') == other.TrimEnd('/') || NativeFile.IsSame(one, other) == true;

    private static IReadOnlyList<(string Link, string Directory)> LinkedFrom(string dataDirectory)
    {
        try
        {
            var links = new DirectoryInfo(Path.Combine(dataDirectory, Links));
            return links.Exists ? [.. links.EnumerateFileSystemInfos().Where(link => link.LinkTarget is not null).Select(link => (link.FullName, link.LinkTarget!))] : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // Another user's; it could not be deleted in either.
        }
    }
}

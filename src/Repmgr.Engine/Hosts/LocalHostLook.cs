using Repmgr.Core.Hosts;
using Repmgr.Core.Problems;

namespace Repmgr.Engine.Hosts;

/// <summary>What is configured and found of the server on this machine.</summary>
/// <param name="DataDirectory">Its data directory.</param>
/// <param name="Bindir">The directory of its version's programs.</param>
/// <param name="Control">What starts and stops it; unclear where one of the others is.</param>
public sealed record LocalHostLook(Detected<string> DataDirectory, Detected<string> Bindir, Detected<ServerControl> Control)
{
    /// <summary>What is used for settings that are not set, by the names of the settings.</summary>
    public IReadOnlyDictionary<string, Detected<string>.Found> Found
    {
        get
        {
            var found = new Dictionary<string, Detected<string>.Found>(StringComparer.Ordinal);
            if (DataDirectory is Detected<string>.Found directory)
                found["data_directory"] = directory;
            if (Bindir is Detected<string>.Found bindir)
                found["pg_bindir"] = bindir;
            if (Control is Detected<ServerControl>.Found control)
            {
                foreach (string action in ServerControl.Actions)
                    found[$"service_{action}_command"] = new Detected<string>.Found(control.Value.CommandFor(action), control.How);
            }

            return found;
        }
    }

    /// <summary>What could not be found out, each thing once.</summary>
    public IReadOnlyList<Problem> Unclear =>
    [
        .. new[]
        {
            (DataDirectory as Detected<string>.Unclear)?.Problem,
            (Bindir as Detected<string>.Unclear)?.Problem,
            (Control as Detected<ServerControl>.Unclear)?.Problem,
        }.OfType<Problem>().Distinct(),
    ];
}

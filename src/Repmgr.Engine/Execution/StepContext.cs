using Repmgr.Core.Settings;
using Repmgr.Engine.Cloning;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Execution;

/// <summary>What steps are done with.</summary>
/// <param name="Settings">Of the node this process runs on.</param>
/// <param name="Connector">Makes connections.</param>
/// <param name="Clock">Tells the time and waits.</param>
/// <param name="Log">Hears what goes on within a step.</param>
public sealed record StepContext(Settings Settings, PostgresConnector Connector, TimeProvider Clock, ILog Log)
{
    /// <summary>Hears how far a copy is; null: nobody does.</summary>
    public IProgress<CopyProgress>? CopyProgress { get; init; }
}

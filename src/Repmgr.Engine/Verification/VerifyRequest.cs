using Repmgr.Core.Cloning;
using Repmgr.Core.Postgres;

namespace Repmgr.Engine.Verification;

/// <summary>What is to be compared with what.</summary>
/// <param name="DataDirectory">The files here.</param>
/// <param name="ControlDataProgram">Path of <c>pg_controldata</c>.</param>
/// <param name="Local">How the server here is reached, if one runs; null: it is not known.</param>
/// <param name="On">The source, as it was reached.</param>
/// <param name="SourceName">Its name for messages.</param>
/// <param name="Source">What it said.</param>
/// <param name="Jobs">Connections to it, side by side.</param>
/// <param name="MaxBytesPerSecond">Of contents, all connections together; null: no limit.</param>
/// <param name="CatchUpWithin">How long a standby that is behind is waited for, each time.</param>
public sealed record VerifyRequest(
    string DataDirectory,
    string ControlDataProgram,
    Conninfo? Local,
    Conninfo On,
    string SourceName,
    CloneSource Source,
    int Jobs,
    long? MaxBytesPerSecond,
    TimeSpan CatchUpWithin);

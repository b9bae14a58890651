using System.Diagnostics;
using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Observation;

/// <summary>Looks at one server. Whatever comes of it is an answer.</summary>
public sealed class NodeObserver(PostgresConnector connector)
{
    /// <summary>
    /// How much longer than its connection may take a look may last in all: a server that accepts connections but does not answer
    /// holds a command up no more than this.
    /// </summary>
    private static readonly TimeSpan Beyond = TimeSpan.FromSeconds(1);

    /// <summary>Connects, looks, and hangs up.</summary>
    /// <param name="conninfo">How to reach it; <c>connect_timeout</c> limits each host, as with libpq.</param>
    /// <param name="cancel">The caller gives up; then <see cref="OperationCanceledException"/> is thrown.</param>
    public async Task<NodeLook> LookAsync(Conninfo conninfo, CancellationToken cancel)
    {
        if (WitnessConninfo.AddressIn(conninfo) is { } witness)
            return Unseen(await WitnessLook.AtAsync(witness, cancel));
        long began = Stopwatch.GetTimestamp();
        switch (await connector.OpenAsync(conninfo, cancel))
        {
            case ConnectResult.Opened opened:
                await using (opened.Session)
                {
                    TimeSpan left = PostgresConnector.DefaultTimeout - Stopwatch.GetElapsedTime(began);
                    return await LookAsync(opened.Session, left > Beyond ? left : Beyond, cancel);
                }

            case ConnectResult.Rejected rejected:
                return Unseen(new NodeProbe.Rejected(rejected.SqlState, rejected.Reason));
            case ConnectResult.Silent silent:
                return Unseen(new NodeProbe.Silent(silent.Reason));
            default:
                throw new InvalidOperationException("a connection attempt of no known kind");
        }
    }

    /// <summary>Looks over a connection that is open already.</summary>
    public static async Task<NodeLook> LookAsync(PostgresSession session, TimeSpan within, CancellationToken cancel) =>
        await session.RunAsync(ProbeQuery.ReadAsync, within, cancel) switch
        {
            Answer<NodeLook>.Got got => got.Value,
            Answer<NodeLook>.Failed { SqlState: { } sqlState } failed => Unseen(new NodeProbe.Rejected(sqlState, failed.Reason)),
            Answer<NodeLook>.Failed failed => Unseen(new NodeProbe.Silent(failed.Reason)),
            _ => throw new InvalidOperationException("an answer of no known kind"),
        };

    internal static NodeLook Unseen(NodeProbe probe) => new(probe, new NodeTable.Unreadable("the server was not reached"));
}

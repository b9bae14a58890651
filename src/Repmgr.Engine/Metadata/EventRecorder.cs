using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Postgres;
using Repmgr.Engine.Processes;

namespace Repmgr.Engine.Metadata;

/// <summary>
/// Records what happened in <c>repmgr.events</c> and announces it with <c>event_notification_command</c>. Neither changes how the
/// command that it is about ends: what goes wrong here is a warning.
/// </summary>
public sealed class EventRecorder(Settings settings, PostgresConnector connector, TimeProvider clock, ILog log)
{
    /// <summary>How long the operator's notification command may take before it is killed.</summary>
    public static readonly TimeSpan NotifyWithin = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan StoreWithin = TimeSpan.FromSeconds(5);

    /// <summary>Records and announces.</summary>
    /// <param name="primary">How to reach the primary; null: it is not known, so the event is only announced.</param>
    /// <param name="happened">What happened.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task RecordAsync(Core.Postgres.Conninfo? primary, ClusterEvent happened, CancellationToken cancel)
    {
        DateTimeOffset? recorded = primary is null ? null : await StoreAsync(primary, happened, cancel);
        await NotifyAsync(happened, recorded ?? clock.GetUtcNow(), cancel);
    }

    /// <summary>Inserts the row.</summary>
    /// <returns>The time that stands there; null: it could not be inserted, which has been said.</returns>
    public async Task<DateTimeOffset?> StoreAsync(Core.Postgres.Conninfo primary, ClusterEvent happened, CancellationToken cancel)
    {
        ConnectResult result = await connector.OpenAsync(primary, cancel);
        if (result is not ConnectResult.Opened opened)
        {
            log.Warning($"event \"{happened.Name}\" could not be recorded", result.Failure);
            return null;
        }

        await using (opened.Session)
            return await StoreAsync(opened.Session, happened, cancel);
    }

    /// <inheritdoc cref="StoreAsync(Core.Postgres.Conninfo, ClusterEvent, CancellationToken)"/>
    public async Task<DateTimeOffset?> StoreAsync(PostgresSession primary, ClusterEvent happened, CancellationToken cancel)
    {
        switch (await primary.RunAsync((connection, token) => EventStore.InsertAsync(connection, happened, token), StoreWithin, cancel))
        {
            case Answer<DateTimeOffset>.Got got:
                return got.Value;
            case Answer<DateTimeOffset>.Failed failed:
                Problem? lacking = failed.IsForLackOfRights ? await MetadataLook.LackingAsync(primary, MetadataUse.Record, cancel) : null;
                log.Warning($"event \"{happened.Name}\" could not be recorded", lacking?.Detail ?? failed.Reason, lacking?.Hint);
                return null;
            default:
                throw new InvalidOperationException("an answer of no known kind");
        }
    }

    /// <summary>Runs <c>event_notification_command</c>, if there is one and it is for this event, within <see cref="NotifyWithin"/>.</summary>
    /// <param name="happened">What happened.</param>
    /// <param name="at">When it was recorded, or, if it could not be, when it happened.</param>
    /// <param name="cancel">Kills the command.</param>
    public async Task NotifyAsync(ClusterEvent happened, DateTimeOffset at, CancellationToken cancel)
    {
        if (settings.EventNotificationCommand is not { } template || !EventNotification.IsWanted(settings.EventNotifications, happened.Name))
            return;

        HookCommand command = EventNotification.Compose(template, happened, at);

        log.Debug($"running the notification command for event \"{happened.Name}\"", command.Script);
        ProgramResult result = await HookProgram.RunAsync(command, NotifyWithin, cancel);
        if (!result.Succeeded)
            log.Warning($"event_notification_command failed for event \"{happened.Name}\"", result.Explain("event_notification_command"));
    }
}

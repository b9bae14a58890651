using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Monitoring;

/// <summary>Follows the server of this node: there, gone, back, and whether it is still the same.</summary>
internal static class OwnServerWatch
{
    public static OwnServer Decide(OwnServer before, Situation s, NodeRecord self, TurnNotes notes)
    {
        if (s.Own.Probe.Running is { } running)
        {
            var up = new OwnServer.Up(s.Own.Probe is NodeProbe.Primary, running.SystemIdentifier, running.Timeline, running.StartedAt);
            switch (before)
            {
                case OwnServer.Up was:
                    Compare(was, up, self, notes);
                    break;
                case OwnServer.Missing missing:
                    SayReturned(missing, up, s, self, notes);
                    Compare(missing.Before, up, self, notes);
                    break;
            }

            return up;
        }

        switch (before)
        {
            case OwnServer.Up was:
                notes.Say(Severity.Warning, $"the server of {self.Label} does not answer", $"{s.Own.Reason}.");
                return new OwnServer.Missing(was, s.Clock, Misses: 1);
            case OwnServer.Missing missing:
                OwnServer.Missing next = missing with { Misses = Math.Min(missing.Misses, WatchMachine.MissesThatCount) + 1 };
                if (next.IsAnnounced && !missing.IsAnnounced)
                    SayGone(next, s, self, notes);
                return next;
            default:
                return before;
        }
    }

    private static void SayGone(OwnServer.Missing missing, Situation s, NodeRecord self, TurnNotes notes)
    {
        if (missing.Before.IsPrimary)
        {
            notes.Tell(EventName.RepmgrdLocalDisconnect, successful: false, Severity.Error, $"unable to connect to local {self.Label}: {s.Own.Reason}");
            return;
        }

        notes.Tell(EventName.StandbyFailure, successful: false, Severity.Error, $"unable to connect to local {self.Label}, marking inactive: {s.Own.Reason}");
    }

    private static void SayReturned(OwnServer.Missing missing, OwnServer.Up up, Situation s, NodeRecord self, TurnNotes notes)
    {
        string seconds = Seconds(s.Clock - missing.Since);
        if (!missing.IsAnnounced)
            notes.Say(Severity.Info, $"the server of {self.Label} answers again after {seconds} seconds");
        else if (missing.Before.IsPrimary || up.IsPrimary)
            notes.Tell(EventName.RepmgrdLocalReconnect, successful: true, Severity.Notice, $"reconnected to local {self.Label} after {seconds} seconds");
        else
            notes.Tell(EventName.StandbyRecovery, successful: true, Severity.Notice, $"reconnected to local {self.Label} after {seconds} seconds, marking active");
    }

    private static void Compare(OwnServer.Up was, OwnServer.Up now, NodeRecord self, TurnNotes notes)
    {
        if (was.SystemIdentifier != now.SystemIdentifier)
        {
            notes.Say(
                Severity.Warning,
                $"the server of {self.Label} is another database cluster now",
                $"Its system identifier was {was.SystemIdentifier} and is {now.SystemIdentifier}.");
        }

        if (was.IsPrimary != now.IsPrimary)
            notes.Say(Severity.Notice, now.IsPrimary ? $"{self.Label} was promoted: it is a primary now" : $"{self.Label} was made a standby");
        if (was.Timeline != now.Timeline)
            notes.Say(Severity.Notice, string.Create(CultureInfo.InvariantCulture, $"{self.Label} changed from timeline {was.Timeline} to {now.Timeline}"));
        if (was.StartedAt != now.StartedAt)
            notes.Say(Severity.Info, $"the server of {self.Label} was restarted");
    }

    internal static string Seconds(TimeSpan span) => ((long)span.TotalSeconds).ToString(CultureInfo.InvariantCulture);
}

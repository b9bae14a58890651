using Repmgr.Core.Problems;

namespace Repmgr.Core.Settings;

/// <summary>A value given to a key somewhere.</summary>
/// <param name="Name">The key, as written.</param>
/// <param name="Value">The value, without quotes.</param>
/// <param name="Place">Where it stands.</param>
/// <param name="Loose">It had to be read as repmgr 1.x read lines.</param>
public sealed record Assigned(string Name, string Value, ConfPlace Place, bool Loose = false);

/// <summary>What came of reading assignments.</summary>
/// <param name="Settings">The settings; complete when there are no problems.</param>
/// <param name="Places">Where each setting that does not have its default was set, by its (first) name.</param>
/// <param name="Problems">Every reason not to go on.</param>
/// <param name="Notices">What the operator should know.</param>
public sealed record SettingsRead(
    Settings Settings,
    IReadOnlyDictionary<string, ConfPlace> Places,
    IReadOnlyList<Problem> Problems,
    IReadOnlyList<LogLine> Notices);

/// <summary>Turns assignments into settings. A later one wins over an earlier one.</summary>
public static class SettingsReader
{
    public static SettingsRead Read(IEnumerable<Assigned> assignments)
    {
        ArgumentNullException.ThrowIfNull(assignments);
        Settings settings = Settings.Defaults;
        Dictionary<string, ConfPlace> places = new(StringComparer.Ordinal);
        Dictionary<string, (Setting Setting, Assigned Assigned)> inForce = new(StringComparer.Ordinal);
        List<Problem> problems = [];
        List<LogLine> notices = [];
        foreach (Assigned assigned in assignments)
        {
            if (SettingTable.Find(assigned.Name) is not { } setting)
            {
                notices.Add(Unknown(assigned));
                continue;
            }

            if (assigned.Loose)
                notices.Add(NotQuoted(setting, assigned));
            if (setting.Assign(assigned.Value, ref settings) is { } reason)
                problems.Add(Invalid(setting, assigned, reason));
            places[setting.Name] = assigned.Place;
            inForce[setting.Name] = (setting, assigned);
        }

        problems.AddRange(SettingRules.Check(settings, places));
        if (settings.Conninfo is { } conninfo && places.GetValueOrDefault("conninfo") is { } place)
        {
            problems.AddRange(Postgres.ConnectionSettingsReader.Check(conninfo)
                .Select(problem => problem with { Message = $"{problem.Message}, in \"conninfo\" {place}" }));
        }

        notices.AddRange(SettingNotices.For(settings, [.. inForce.Values]));
        return new SettingsRead(settings, places, problems, notices);
    }

    private static LogLine Unknown(Assigned assigned) => new(
        Severity.Warning,
        $"unknown setting \"{assigned.Name}\" {assigned.Place}",
        "It is ignored.",
        Nearest.To(assigned.Name, SettingTable.Names) is { } near ? $"Perhaps \"{near}\" is meant." : null);

    private static LogLine NotQuoted(Setting setting, Assigned assigned) => new(
        Severity.Warning,
        $"the value of \"{setting.Name}\" is not quoted {assigned.Place}",
        "It is read as repmgr 1.x did: everything after the equals sign.",
        "Put the value in single quotes.");

    private static Problem Invalid(Setting setting, Assigned assigned, string reason)
    {
        // A connection string may hold a password, and so may what was meant to be one, and a URL.
        bool mayHoldPassword = setting is Setting<Postgres.Conninfo?> || assigned.Value.Contains('@', StringComparison.Ordinal);
        string value = mayHoldPassword ? "" : $": \"{assigned.Value}\"";
        return new Problem($"invalid value for setting \"{setting.Name}\" {assigned.Place}{value}", reason);
    }
}

using Repmgr.Core.Hosts;
using Repmgr.Core.Settings;

namespace Repmgr.Fuzz;

/// <summary>The grammar of repmgr.conf and the types of its settings.</summary>
internal static class ConfTarget
{
    public static void Run(string text)
    {
        ConfText read = ConfSyntax.Parse(text);
        BrokenPromiseException.Unless(read.Errors.Count <= ConfSyntax.MaxErrors + 1, "errors are bounded");
        List<Assigned> assigned = [];
        foreach (ConfEntry.Assignment entry in read.Entries.OfType<ConfEntry.Assignment>())
        {
            assigned.Add(new Assigned(entry.Name, entry.Value, new ConfPlace("fuzz", entry.Line), entry.Loose));
            ConfText again = ConfSyntax.Parse($"{entry.Name} = {ConfSyntax.Quote(entry.Value)}");
            BrokenPromiseException.Unless(
                again.Errors.Count == 0 && again.Entries is [ConfEntry.Assignment same] && same.Name == entry.Name && same.Value == entry.Value,
                "a quoted value reads back unchanged");
        }

        SettingsRead settings = SettingsReader.Read(assigned);
        foreach (SettingDump dump in SettingDump.Of(settings.Settings, settings.Places, new Dictionary<string, Detected<string>.Found>()))
        {
            if (dump.Value is null || dump.Source == "default" || settings.Problems.Count > 0)
                continue;

            // A list shows as one value; and a connection string hides its secrets.
            Setting setting = SettingTable.Find(dump.Name)!;
            if (setting.Accumulates || setting.Name == "conninfo")
                continue;
            SettingsRead shown = SettingsReader.Read([new Assigned(dump.Name, dump.Value, new ConfPlace("fuzz", 1))]);
            BrokenPromiseException.Unless(setting.Show(shown.Settings) == dump.Value, $"{dump.Name} reads back what it shows");
        }
    }
}

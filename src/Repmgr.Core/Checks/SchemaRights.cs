using Repmgr.Core.Postgres;

namespace Repmgr.Core.Checks;

/// <summary>Rights on a schema and on each table in it.</summary>
/// <param name="Use">USAGE.</param>
/// <param name="Create">CREATE.</param>
/// <param name="Tables">Every table of repmgr's that there is.</param>
public sealed record SchemaRights(bool Use, bool Create, IReadOnlyList<TableRights> Tables)
{
    /// <summary>All that this use needs is there. A table that is missing lacks no right.</summary>
    public bool Allows(MetadataUse use) => Use && Tables.All(table => table.Has(Needed(use, table.Name)));

    /// <summary>
    /// The tables' part of what is to be granted, one statement for tables that lack the same. Who reads is granted reading, who writes
    /// all that the role of a node needs one day: a right that only <c>cluster cleanup</c> needs is no reason to stop a promotion, but
    /// it is listed with the others.
    /// </summary>
    internal IEnumerable<string> GrantsFor(MetadataUse use, string role)
    {
        List<IGrouping<TablePrivileges, TableRights>> lacking =
        [
            .. Tables.Where(table => !table.Has(Granted(use, table.Name))).GroupBy(table => Granted(use, table.Name) & ~table.Held),
        ];
        return lacking.Select(group =>
            $"GRANT {Words(group.Key)} ON {On([.. group.Select(table => table.Name)])} TO {SqlText.Name(role)};");
    }

    private string On(IReadOnlyList<string> tables) =>
        tables.Count > 1 && tables.Count == Tables.Count
            ? "ALL TABLES IN SCHEMA repmgr"
            : $"TABLE {string.Join(", ", tables.Select(table => $"repmgr.{table}"))}";

    private static string Words(TablePrivileges privileges) =>
        string.Join(", ", Enum.GetValues<TablePrivileges>().Where(one => one is not (TablePrivileges.None or TablePrivileges.All) && privileges.HasFlag(one))
            .Select(one => one.ToString().ToUpperInvariant()));

    private static TablePrivileges Granted(MetadataUse use, string table) =>
        use is MetadataUse.Show or MetadataUse.Events ? Needed(use, table) : TablePrivileges.All;

    // An event that is not recorded is a warning, so that commands which only record them need no more than the rest of what they do.
    private static TablePrivileges Needed(MetadataUse use, string table) => (use, table) switch
    {
        (MetadataUse.Register, _) => TablePrivileges.All,
        (MetadataUse.Unregister, "nodes") => TablePrivileges.Select | TablePrivileges.Delete,
        (MetadataUse.Change or MetadataUse.Watch, "nodes") => TablePrivileges.Select | TablePrivileges.Insert | TablePrivileges.Update,
        (MetadataUse.Cleanup, "monitoring_history") => TablePrivileges.Select | TablePrivileges.Delete,
        (MetadataUse.Watch, "monitoring_history") => TablePrivileges.Insert,
        (MetadataUse.Events, "events") => TablePrivileges.Select,
        (MetadataUse.Record or MetadataUse.Watch, "events") => TablePrivileges.Select | TablePrivileges.Insert,
        (MetadataUse.Record, _) => TablePrivileges.None,
        (_, "nodes") => TablePrivileges.Select,
        _ => TablePrivileges.None,
    };
}

/// <summary>What a role may do with a table.</summary>
/// <param name="Name">Without its schema.</param>
/// <param name="Held">What it may.</param>
public sealed record TableRights(string Name, TablePrivileges Held)
{
    internal bool Has(TablePrivileges wanted) => (Held & wanted) == wanted;
}

/// <summary>The privileges on tables that matter here.</summary>
[Flags]
public enum TablePrivileges
{
    None = 0,
    Select = 1,
    Insert = 2,
    Update = 4,
    Delete = 8,
    All = Select | Insert | Update | Delete,
}

/// <summary>What is done with the metadata.</summary>
public enum MetadataUse
{
    /// <summary>See which nodes there are.</summary>
    Show,

    /// <summary>See the events.</summary>
    Events,

    /// <summary>Record an event.</summary>
    Record,

    /// <summary>Register a node: who does that must be able to do all the rest.</summary>
    Register,

    /// <summary>Change the record of a node.</summary>
    Change,

    /// <summary>Delete the record of a node.</summary>
    Unregister,

    /// <summary>Delete monitoring history.</summary>
    Cleanup,

    /// <summary>What repmgrd does.</summary>
    Watch,
}

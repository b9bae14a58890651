namespace Repmgr.Core.Cluster;

/// <summary>What a database holds in schema <c>repmgr</c>.</summary>
public abstract record SchemaState
{
    private SchemaState() { }

    /// <summary>Nothing of ours.</summary>
    /// <param name="SchemaExists">The schema itself is there, empty: prepared by the administrator.</param>
    public sealed record Absent(bool SchemaExists) : SchemaState;

    /// <summary>The objects belong to the extension of repmgr 4 or 5.</summary>
    public sealed record Extension(string Version) : SchemaState;

    /// <summary>Ours.</summary>
    /// <param name="Version">The version of the layout, see <see cref="Current"/>.</param>
    public sealed record Present(int Version) : SchemaState;

    /// <summary>Ours, but the role may not read its version.</summary>
    public sealed record Unread : SchemaState;

    /// <summary>A schema of that name with tables that are not ours.</summary>
    public sealed record Foreign(string Relation) : SchemaState;

    /// <summary>The version of the layout that this program makes.</summary>
    public const int Current = 2;
}

using System.Globalization;
using Repmgr.Core.Cloning.Direct;

namespace Repmgr.Core.Verification;

/// <summary>Where a relation's file lies, in the numbers of the catalogs.</summary>
/// <param name="Database">Null: it belongs to all of them.</param>
/// <param name="Tablespace">As <c>pg_filenode_relation()</c> wants it: 0 for the database's own.</param>
/// <param name="Number">The file's.</param>
/// <remarks>https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-DBLOCATION</remarks>
public sealed record RelationPlace(uint? Database, uint Tablespace, uint Number)
{
    private const uint Global = 1664;

    /// <summary>Null: the path is no relation's.</summary>
    public static RelationPlace? TryRead(string path) => RelationFile.TryRead(path) is not { } file ? null : file.Directory.Split('/') switch
    {
        ["global"] => new RelationPlace(null, Global, file.Number),
        ["base", var database] => new RelationPlace(Oid(database), 0, file.Number),
        ["pg_tblspc", var space, _, var database] => new RelationPlace(Oid(database), Oid(space), file.Number),
        _ => null,
    };

    private static uint Oid(string text) => uint.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
}

using Repmgr.Core.Checks;
using Repmgr.Core.Problems;
using static Repmgr.Core.Checks.TablePrivileges;
using static Repmgr.Tests.Registration.SimulatedCluster;

namespace Repmgr.Tests.Registration;

public sealed class RightsCheckTests
{
    private static readonly string[] Names = ["events", "monitoring_history", "nodes", "schema_version", "voting_term"];

    private static SchemaRights Each(TablePrivileges held, bool use = true) => new(use, false, [.. Names.Select(name => new TableRights(name, held))]);

    private static SchemaRights But(string table, TablePrivileges held) =>
        new(true, false, [.. Names.Select(name => new TableRights(name, name == table ? held : All))]);

    private static string[] Statements(MetadataUse use, SchemaRights rights) =>
        RightsCheck.For(use, Allowed with { Schema = rights })?.Detail!.Split('\n')[1..].Select(line => line.Trim()).ToArray() ?? [];

    [Theory]
    [InlineData(MetadataUse.Show, "GRANT SELECT ON TABLE repmgr.nodes TO \"repmgr\";")]
    [InlineData(MetadataUse.Events, "GRANT SELECT ON TABLE repmgr.events, repmgr.nodes TO \"repmgr\";")]
    [InlineData(MetadataUse.Record, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA repmgr TO \"repmgr\";")]
    [InlineData(MetadataUse.Register, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA repmgr TO \"repmgr\";")]
    [InlineData(MetadataUse.Change, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA repmgr TO \"repmgr\";")]
    [InlineData(MetadataUse.Unregister, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA repmgr TO \"repmgr\";")]
    [InlineData(MetadataUse.Cleanup, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA repmgr TO \"repmgr\";")]
    [InlineData(MetadataUse.Watch, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA repmgr TO \"repmgr\";")]
    public void Who_may_nothing_hears_all_that_is_missing(MetadataUse use, string tables) =>
        Assert.Equal(["GRANT USAGE ON SCHEMA repmgr TO \"repmgr\";", tables], Statements(use, Each(None, use: false)));

    [Fact]
    public void Who_only_shows_needs_to_read_and_no_more()
    {
        Assert.Empty(Statements(MetadataUse.Show, Each(Select)));
        Assert.Empty(Statements(MetadataUse.Events, Each(Select)));
        Assert.NotEmpty(Statements(MetadataUse.Change, Each(Select)));
    }

    [Fact]
    public void Tables_that_lack_the_same_share_a_statement() => Assert.Equal(
        [
            "GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE repmgr.events, repmgr.monitoring_history, repmgr.schema_version, repmgr.voting_term TO \"repmgr\";",
            "GRANT INSERT, UPDATE, DELETE ON TABLE repmgr.nodes TO \"repmgr\";",
        ],
        Statements(MetadataUse.Change, new(true, false, [.. Names.Select(name => new TableRights(name, name == "nodes" ? Select : None))])));

    // Each privilege on each table, missing alone: who needs it is refused and told just that, who does not is let through.
    [Fact]
    public void One_missing_privilege_stops_only_who_needs_it()
    {
        var stopped = new List<string>();
        foreach (string table in Names)
        {
            foreach (TablePrivileges missing in (TablePrivileges[])[Select, Insert, Update, Delete])
            {
                MetadataUse[] uses = [.. Enum.GetValues<MetadataUse>().Where(use => RightsCheck.For(use, Allowed with { Schema = But(table, All & ~missing) }) is not null)];
                Assert.All(uses, use => Assert.Equal(
                    $"GRANT {missing.ToString().ToUpperInvariant()} ON TABLE repmgr.{table} TO \"repmgr\";", Statements(use, But(table, All & ~missing))[0]));
                stopped.Add($"{missing} on {table}: {string.Join(", ", uses)}");
            }
        }

        Assert.Equal(
            [
                "Select on events: Events, Record, Register, Watch",
                "Insert on events: Record, Register, Watch",
                "Update on events: Register",
                "Delete on events: Register",
                "Select on monitoring_history: Register, Cleanup",
                "Insert on monitoring_history: Register, Watch",
                "Update on monitoring_history: Register",
                "Delete on monitoring_history: Register, Cleanup",
                "Select on nodes: Show, Events, Register, Change, Unregister, Cleanup, Watch",
                "Insert on nodes: Register, Change, Watch",
                "Update on nodes: Register, Change, Watch",
                "Delete on nodes: Register, Unregister",
                "Select on schema_version: Register",
                "Insert on schema_version: Register",
                "Update on schema_version: Register",
                "Delete on schema_version: Register",
                "Select on voting_term: Register",
                "Insert on voting_term: Register",
                "Update on voting_term: Register",
                "Delete on voting_term: Register",
            ],
            stopped);
    }

    [Fact]
    public void A_superuser_and_a_database_without_metadata_lack_nothing()
    {
        Assert.All(Enum.GetValues<MetadataUse>(), use =>
        {
            Assert.Null(RightsCheck.For(use, Allowed with { IsSuperuser = true, Schema = Each(None, use: false) }));
            Assert.Null(RightsCheck.For(use, Allowed with { Schema = null }));
        });
    }

    [Fact]
    public void Names_are_quoted_and_the_database_is_named()
    {
        Problem problem = RightsCheck.For(MetadataUse.Show, Allowed with { Role = "o\"ps", Database = "da ta", Schema = Each(None) })!;
        Assert.Equal("role \"o\"ps\" lacks rights in database \"da ta\"", problem.Message);
        Assert.Contains("GRANT SELECT ON TABLE repmgr.nodes TO \"o\"\"ps\";", problem.Detail, StringComparison.Ordinal);
        Assert.Equal("Run these statements as a superuser in database \"da ta\" of the primary.", problem.Hint);
    }
}

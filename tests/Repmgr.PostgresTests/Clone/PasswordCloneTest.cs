using System.Globalization;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Clone;

/// <summary>The password of the environment, and where it goes.</summary>
public sealed class PasswordCloneTest : LabTest
{
    [Fact]
    public async Task One_of_the_configuration_is_on_no_command_line_while_programs_run()
    {
        TestServer source = await Lab.ServerAsync(PostgresMajor.Default);
        await source.StartAsync();
        TestServer target = await Lab.EmptyServerAsync(PostgresMajor.Default, nodeId: 2);
        await target.WriteConfAsync($"conninfo='{target.Conninfo} password=s3cret'");

        Task<ProgramResult> cloning = target.RepmgrAsync(
            "-h", source.Address, "-p", source.Port.ToString(CultureInfo.InvariantCulture), "standby", "clone", "--method=basebackup", "--max-rate=8M");
        string[] lines = [];
        await Eventually.TrueAsync(
            () =>
            {
                lines = [.. Leftovers.In(Lab.Directory).Select(CommandLine)];
                return Task.FromResult(lines.Any(line => line.Contains("pg_basebackup", StringComparison.Ordinal)));
            },
            Seconds(30),
            "pg_basebackup runs");
        Assert.DoesNotContain(lines, line => line.Contains("s3cret", StringComparison.Ordinal));
        ProgramResult cloned = (await cloning).ShouldSucceed();
        Assert.DoesNotContain("s3cret", cloned.Stdout + cloned.Stderr, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", await File.ReadAllTextAsync(Path.Combine(target.DataDirectory, "postgresql.auto.conf"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_written_into_primary_conninfo_only_where_that_is_asked_for()
    {
        TestServer source = await Lab.ServerAsync(PostgresMajor.Default);
        await source.StartAsync();
        foreach (bool wanted in (bool[])[false, true])
        {
            TestServer target = await Lab.EmptyServerAsync(PostgresMajor.Default, nodeId: wanted ? 3 : 2);
            await target.WriteConfAsync(wanted ? "use_primary_conninfo_password=yes" : "");
            var launch = new Launch(
                Programs.Repmgr, "-f", target.ConfPath, "-h", source.Address, "-p", source.Port.ToString(CultureInfo.InvariantCulture), "standby", "clone")
            {
                User = target.User,
                WorkingDirectory = target.Directory,
                Environment = new Dictionary<string, string?>(target.Surroundings) { ["PGPASSWORD"] = "s3cret" },
            };
            ProgramResult cloned = (await Lab.RunAsync(launch)).ShouldSucceed();

            Assert.DoesNotContain("s3cret", cloned.Stdout + cloned.Stderr, StringComparison.Ordinal);
            string conf = await File.ReadAllTextAsync(Path.Combine(target.DataDirectory, "postgresql.auto.conf"), TestContext.Current.CancellationToken);
            Assert.Equal(wanted, conf.Contains("password=s3cret", StringComparison.Ordinal));
        }
    }

    private static string CommandLine(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline").Replace('\0', ' ');
        }
        catch (IOException)
        {
            return ""; // Ended meanwhile.
        }
    }
}

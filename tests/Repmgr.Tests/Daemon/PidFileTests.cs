using System.Diagnostics;
using System.Globalization;
using Repmgr.Engine.Daemon;

namespace Repmgr.Tests.Daemon;

public sealed class PidFileTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("repmgr-pid-").FullName;

    private string PidPath => Path.Combine(_directory, "repmgrd.pid");

    private static string OwnPid => Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n";

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_free_name_is_taken_and_removed_again()
    {
        using (PidFile file = Take())
            Assert.Equal(OwnPid, File.ReadAllText(file.Path));

        Assert.False(File.Exists(PidPath));
    }

    [Fact]
    public void A_second_daemon_learns_the_first_ones_pid()
    {
        using PidFile file = Take();

        // The lock belongs to the open file, so a second claim in one process is refused like one from another.
        Assert.Equal(Environment.ProcessId, Assert.IsType<PidFileClaim.Running>(PidFile.Claim(PidPath)).Pid);
        Assert.Equal(OwnPid, File.ReadAllText(PidPath));
    }

    [Fact]
    public void A_daemon_that_has_not_written_its_number_yet_has_the_file_all_the_same()
    {
        using PidFile file = Take();
        File.WriteAllText(PidPath, "");

        Assert.Null(Assert.IsType<PidFileClaim.Running>(PidFile.Claim(PidPath)).Pid);
    }

    [Fact]
    public void A_stale_file_of_a_process_that_ended_is_taken_over()
    {
        File.WriteAllText(PidPath, "4194304\n");

        using PidFile file = Take();
        Assert.Equal(OwnPid, File.ReadAllText(PidPath));
    }

    [Theory]
    [InlineData("")]
    [InlineData("not a number\n")]
    [InlineData("-1\n")]
    [InlineData("99999999999999999999999999\n")]
    public void Rubbish_is_taken_over(string content)
    {
        File.WriteAllText(PidPath, content);

        using PidFile file = Take();
        Assert.Equal(OwnPid, File.ReadAllText(PidPath));
    }

    [Fact]
    public void A_number_that_another_program_has_now_is_stale()
    {
        using Process sleeper = Process.Start("sleep", "60");
        try
        {
            File.WriteAllText(PidPath, $"{sleeper.Id}\n");

            using PidFile file = Take();
            Assert.Equal(OwnPid, File.ReadAllText(PidPath));
        }
        finally
        {
            sleeper.Kill();
        }
    }

    [Fact]
    public void A_daemon_of_5x_which_takes_no_lock_counts_unless_it_began_after_the_file_was_written()
    {
        string program = Path.Combine(_directory, "repmgrd");
        File.Copy("/bin/sleep", program);
        using Process old = Process.Start(program, "60");
        try
        {
            Assert.True(SpinWait.SpinUntil(() => File.ReadAllText($"/proc/{old.Id}/comm") == "repmgrd\n", TimeSpan.FromSeconds(10)));
            File.WriteAllText(PidPath, $"{old.Id}\n");
            Assert.Equal(old.Id, Assert.IsType<PidFileClaim.Running>(PidFile.Claim(PidPath)).Pid);

            File.SetLastWriteTimeUtc(PidPath, DateTime.UtcNow.AddHours(-1));
            using PidFile file = Take();
        }
        finally
        {
            old.Kill();
        }
    }

    [Fact]
    public void A_link_is_not_followed()
    {
        string victim = Path.Combine(_directory, "victim");
        File.WriteAllText(victim, "precious");
        File.CreateSymbolicLink(PidPath, victim);

        Assert.IsType<PidFileClaim.Unwritable>(PidFile.Claim(PidPath));
        Assert.Equal("precious", File.ReadAllText(victim));
    }

    [Fact]
    public void A_missing_directory_is_a_problem_that_names_the_file()
    {
        var claim = Assert.IsType<PidFileClaim.Unwritable>(PidFile.Claim(Path.Combine(_directory, "no", "x.pid")));

        Assert.Contains("no/x.pid", claim.Problem.Message);
        Assert.Contains("repmgrd_pid_file", claim.Problem.Hint);
    }

    private PidFile Take() => Assert.IsType<PidFileClaim.Taken>(PidFile.Claim(PidPath)).File;
}

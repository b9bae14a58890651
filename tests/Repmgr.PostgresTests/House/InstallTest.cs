using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.House;

/// <summary>What a package would hold: <c>make install DESTDIR=… PREFIX=/usr</c>.</summary>
public sealed class InstallTest : LabTest
{
    [Fact]
    public async Task Install_puts_programs_manual_completions_sample_and_unit_where_they_belong()
    {
        (await Lab.RunAsync(new Launch(Path.Combine(Programs.SourceRoot, "tools", "install"))
        {
            Environment = new Dictionary<string, string?> { ["DESTDIR"] = Lab.Directory, ["PREFIX"] = "/usr" },
        })).ShouldSucceed();

        string[] expected =
        [
            "bin/repmgr", "bin/repmgrd",
            "share/man/man1/repmgr.1", "share/man/man1/repmgr-standby-clone.1", "share/man/man5/repmgr.conf.5", "share/man/man8/repmgrd.8",
            "share/bash-completion/completions/repmgr", "share/zsh/site-functions/_repmgr",
            "share/repmgr/repmgr.conf.sample", "lib/systemd/system/repmgrd.service",
        ];
        Assert.All(expected, file => Assert.True(File.Exists(Path.Combine(Lab.Directory, "usr", file)), file));
        (await Lab.RunAsync(new Launch(Path.Combine(Lab.Directory, "usr/bin/repmgr"), "--version"))).ShouldSucceed().ShouldSay("repmgr ");
        Assert.True(File.GetUnixFileMode(Path.Combine(Lab.Directory, "usr/bin/repmgrd")).HasFlag(UnixFileMode.OtherExecute));
    }
}

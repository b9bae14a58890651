using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.House;

/// <summary>On a machine that lacks something which cannot be installed for the user, one sentence says what to install.</summary>
public sealed class PrerequisitesTest : LabTest
{
    [Theory]
    [InlineData("demo")]
    [InlineData("test")]
    public async Task Without_the_sdk_one_sentence_names_it(string target)
    {
        var said = (await PrerequisitesAsync(target, sdk: null)).ShouldExit(1);
        Assert.Contains("install the .NET 10 SDK", Assert.Single(Lines(said)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_older_sdk_does_not_do()
    {
        var said = (await PrerequisitesAsync("demo", sdk: "8.0.404")).ShouldExit(1);
        Assert.Contains("install the .NET 10 SDK", Assert.Single(Lines(said)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task On_a_system_without_apt_one_sentence_names_the_packages()
    {
        var said = (await PrerequisitesAsync("test", sdk: "10.0.401")).ShouldExit(1);
        string line = Assert.Single(Lines(said));
        Assert.Contains("install what these Debian packages hold", line, StringComparison.Ordinal);
        Assert.Contains(" clang", line, StringComparison.Ordinal);
        Assert.Contains(" rsync", line, StringComparison.Ordinal);
    }

    /// <summary>A machine with a shell, and an SDK of that version if one is given, in its path and nothing else.</summary>
    private async Task<ProgramResult> PrerequisitesAsync(string target, string? sdk)
    {
        string path = await Lab.SubdirectoryAsync($"bin-{Guid.NewGuid():N}");
        foreach (string program in (string[])["bash", "dirname", "id"])
            File.CreateSymbolicLink(Path.Combine(path, program), $"/usr/bin/{program}");
        if (sdk is not null)
        {
            await File.WriteAllTextAsync(Path.Combine(path, "dotnet"), $"#!/bin/sh\necho {sdk}\n");
            File.SetUnixFileMode(Path.Combine(path, "dotnet"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        return await Lab.RunAsync(new Launch(Path.Combine(Programs.SourceRoot, "tools", "prerequisites"), target)
        {
            Environment = new Dictionary<string, string?> { ["PATH"] = path },
        });
    }

    private static string[] Lines(ProgramResult said) => (said.Stdout + said.Stderr).Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

using Repmgr.Engine.Files;

namespace Repmgr.Tests.Files;

public sealed class AutoConfTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("repmgr-autoconf-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Merges_and_keeps_mode_bytes_and_leaves_nothing_beside()
    {
        string path = AutoConf.PathIn(_directory);
        File.WriteAllBytes(path, [.. "# \xE9\xFF no utf-8\n"u8, 0xFF, (byte)'\n', .. "port = 1\n"u8]);
        byte[] head = File.ReadAllBytes(path)[..^9];
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);

        Assert.True(AutoConf.Merge(_directory, new Dictionary<string, string?> { ["primary_conninfo"] = "password=pässwörd", ["port"] = null }));

        Assert.Equal(head, File.ReadAllBytes(path)[..head.Length]);
        Assert.Equal("password=pässwörd", AutoConf.Read(_directory)["primary_conninfo"]);
        Assert.False(AutoConf.Read(_directory).ContainsKey("port"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(path));
        Assert.Equal([path], Directory.GetFiles(_directory));
    }

    [Fact]
    public void A_file_that_says_it_all_is_not_touched()
    {
        var changes = new Dictionary<string, string?> { ["Primary_Slot_Name"] = "repmgr_slot_2", ["restore_command"] = null };
        Assert.True(AutoConf.Merge(_directory, changes));
        DateTime written = File.GetLastWriteTimeUtc(AutoConf.PathIn(_directory));
        Assert.False(AutoConf.Merge(_directory, changes));
        Assert.Equal(written, File.GetLastWriteTimeUtc(AutoConf.PathIn(_directory)));
    }

    [Fact]
    public void A_new_file_is_readable_by_the_group_only_where_the_directory_is()
    {
        File.SetUnixFileMode(_directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Assert.True(SignalFiles.WriteStandby(_directory));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_directory, SignalFiles.Standby)));
        Assert.False(SignalFiles.WriteStandby(_directory));
        Assert.True(SignalFiles.Remove(_directory));
        Assert.False(SignalFiles.IsStandby(_directory));

        File.SetUnixFileMode(_directory, File.GetUnixFileMode(_directory) | UnixFileMode.GroupRead | UnixFileMode.GroupExecute);
        SignalFiles.WriteStandby(_directory);
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead,
            File.GetUnixFileMode(Path.Combine(_directory, SignalFiles.Standby)));
    }

    [Fact]
    public void A_directory_that_cannot_be_written_leaves_the_old_file()
    {
        AutoConf.Merge(_directory, new Dictionary<string, string?> { ["port"] = "1" });
        string blocker = AutoConf.PathIn(_directory) + ".repmgr.tmp";
        Directory.CreateDirectory(blocker); // Even root cannot write a file here.
        Assert.ThrowsAny<Exception>(() => AutoConf.Merge(_directory, new Dictionary<string, string?> { ["port"] = "2" }));
        Assert.Equal("1", AutoConf.Read(_directory)["port"]);
    }

    [Fact]
    public void A_tree_is_flushed_without_following_links()
    {
        Directory.CreateDirectory(Path.Combine(_directory, "a", "b"));
        File.WriteAllText(Path.Combine(_directory, "a", "b", "file"), "x");
        File.CreateSymbolicLink(Path.Combine(_directory, "dangling"), "/nowhere/at/all");
        DurableFile.FlushTree(_directory, CancellationToken.None);
    }
}

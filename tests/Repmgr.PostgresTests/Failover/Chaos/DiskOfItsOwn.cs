using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover.Chaos;

/// <summary>A file system that a stopped server's data directory is moved onto, on its host alone.</summary>
internal sealed record DiskOfItsOwn(string Type, string Program, Func<string, string> Mount)
{
    /// <summary>One that is soon full.</summary>
    public static DiskOfItsOwn Small { get; } = new("tmpfs", "mount", data =>
        $"mount -t tmpfs -o size=$(( $(du -sm '{data}.moved' | cut -f1) + 300 ))m tmpfs '{data}' && cp -a '{data}.moved/.' '{data}' && rm -rf '{data}.moved'");

    /// <summary>One that is a process, which can be stopped: whoever reads or writes then waits in the kernel.</summary>
    public static DiskOfItsOwn Stoppable { get; } = new("fuse", "bindfs", data => $"mv '{data}.moved' '{data}.disk' && bindfs '{data}.disk' '{data}' >/dev/null 2>&1");

    public async Task MoveAsync(TestServer server)
    {
        Assert.SkipUnless(File.Exists($"/usr/bin/{Program}"), $"there is no {Program} on this machine; tools/prerequisites test installs it");
        string data = server.DataDirectory;
        await server.Host!.Holder.RunAsync($$"""
            findmnt -n -t {{Type}} '{{data}}' >/dev/null || {
              cp -a '{{data}}' '{{data}}.moved' && { ! mountpoint -q '{{data}}' || umount '{{data}}'; } && rm -rf '{{data}}' '{{data}}.disk' &&
              mkdir '{{data}}' && {{Mount(data)}}
            }
            """);
    }
}

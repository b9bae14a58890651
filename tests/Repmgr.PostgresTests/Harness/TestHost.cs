namespace Repmgr.PostgresTests.Harness;

/// <summary>A host of its own: address, name, sshd on port 22, processes. <see cref="Lab.HostsAsync"/> makes them.</summary>
public sealed class TestHost
{
    /// <summary>An Ethernet address that no host has: what is sent there arrives nowhere, and nobody is told.</summary>
    private const string Nowhere = "02:00:00:00:00:01";

    private readonly IReadOnlyList<TestHost> _all;

    private readonly SwitchPort _port;

    internal TestHost(string name, string address, NamespaceHolder holder, SwitchPort port, IReadOnlyList<TestHost> all) =>
        (Name, Address, Holder, _port, _all) = (name, address, holder, port, all);

    public string Name { get; }

    public string Address { get; }

    internal NamespaceHolder Holder { get; }

    internal string[] Prefix => Holder.Prefix;

    /// <summary>A path of the host, for whom it may be mounted over, as this process reaches it.</summary>
    public string Seen(string path) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"/proc/{Holder.InnerPid}/root{path}");

    /// <summary>Gives the host a disk of this size of its own, on a directory that belongs to this user. It goes with the host.</summary>
    /// <param name="size">As tmpfs takes it: <c>64m</c>.</param>
    public Task MountAsync(string directory, string size, string user) =>
        Holder.RunAsync($"mkdir -p '{directory}' && mount -t tmpfs -o mode=700,size={size} tmpfs '{directory}' && chown {user}: '{directory}'");

    /// <summary>Takes all the space that is left on the disk of a directory.</summary>
    public Task FillAsync(string directory, string file) => Holder.RunAsync(
        $"fallocate -l $(df --output=avail --block-size=1 '{directory}' | tail -1) '{directory}/{file}'; cat /dev/zero > '{directory}/{file}.rest' 2>/dev/null || true");

    public Task EmptyAsync(string directory, string file) => Holder.RunAsync($"rm -f '{directory}/{file}' '{directory}/{file}.rest'");

    /// <summary>From now on nothing that this host sends reaches that one; the other direction stays as it is. No error tells anybody.</summary>
    public Task CutAsync(TestHost to) => Holder.RunAsync($"ip neigh replace {to.Address} lladdr {Nowhere} dev eth0 nud permanent");

    public Task HealAsync(TestHost to) => Holder.RunAsync($"ip neigh del {to.Address} dev eth0");

    /// <summary>At one moment the host reaches nobody, and nobody it.</summary>
    public Task UnplugAsync() => _port.UnplugAsync();

    public Task PlugInAsync() => _port.PlugInAsync();

    /// <summary>From now on the host has a bad line: of what it sends, so much is lost, and the rest arrives late.</summary>
    public Task SpoilAsync(double lost, TimeSpan late) => _port.SpoilAsync(lost, late);

    /// <summary>Makes this socket the host's <c>/dev/log</c>, where syslog(3) sends to. The host gets a small <c>/dev</c> of its own for it.</summary>
    public Task TakeSyslogAsync(string socket) => Holder.RunAsync($"""
        mount -t tmpfs -o mode=755 tmpfs /mnt &&
        for f in null zero full random urandom; do touch /mnt/$f && mount --bind /dev/$f /mnt/$f || exit 1; done &&
        mkdir -m 1777 /mnt/shm && touch /mnt/log && mount --bind {socket} /mnt/log &&
        mount --move /mnt /dev
        """);

    /// <summary>Nothing between this host and any other passes, in either direction.</summary>
    public async Task IsolateAsync()
    {
        foreach (var other in _all.Where(other => other != this))
        {
            await CutAsync(other);
            await other.CutAsync(this);
        }
    }

    public async Task RejoinAsync()
    {
        foreach (var other in _all.Where(other => other != this))
        {
            await HealAsync(other);
            await other.HealAsync(this);
        }
    }
}

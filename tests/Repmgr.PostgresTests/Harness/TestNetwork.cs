using System.Globalization;
using CliWrap;
using CliWrap.Buffered;

namespace Repmgr.PostgresTests.Harness;

/// <summary>
/// A network of hosts on this one machine, each made of namespaces (https://man7.org/linux/man-pages/man7/namespaces.7.html):
/// a network with its own address, a host name, process ids, and mounts that give it its own <c>/etc/hosts</c>, <c>/etc/ssh</c>
/// and <c>/run</c>. They hang on a bridge that lies in a namespace of its own, so the machine itself never sees a packet.
/// </summary>
internal sealed class TestNetwork : IAsyncDisposable
{
    private readonly Lab _lab;
    private readonly NamespaceHolder _switch;
    private readonly List<TestHost> _hosts = [];

    private TestNetwork(Lab lab, NamespaceHolder @switch) => (_lab, _switch) = (lab, @switch);

    /// <summary>Bound over <c>/etc/ssh</c>, <c>/etc/hosts</c> and so on in every host.</summary>
    private string Etc => Path.Combine(_lab.Directory, "etc");

    public static async Task<TestNetwork> CreateAsync(Lab lab)
    {
        var @switch = await NamespaceHolder.StartAsync(lab.Directory, "--net", "ip link add br0 type bridge && ip link set br0 up");
        var network = new TestNetwork(lab, @switch);
        await network.WriteEtcAsync();
        return network;
    }

    public async Task<TestHost> AddHostAsync(string name)
    {
        int number = _hosts.Count + 1;
        string address = string.Create(CultureInfo.InvariantCulture, $"192.168.1.{number}");
        await File.AppendAllTextAsync(Path.Combine(Etc, "hosts"), $"{address} {name}\n");
        // sshd wants /run/sshd, and PostgreSQL of Debian /run/postgresql.
        var holder = await NamespaceHolder.StartAsync(_lab.Directory, "--net --uts --mount --pid --mount-proc", $"""
            hostname {name} &&
            ip link set lo up &&
            for f in hosts ssh passwd group shadow; do mount --bind {Etc}/$f /etc/$f || exit 1; done &&
            mount -t tmpfs -o mode=755 tmpfs /run &&
            mkdir -p /run/sshd && install -d -m 1777 /run/postgresql
            """);
        await _switch.RunAsync($"""
            ip link add p{number} type veth peer name eth0 netns {holder.InnerPid} &&
            ip link set p{number} master br0 up
            """);
        await holder.RunAsync($"ip addr add {address}/24 dev eth0 && ip link set eth0 up && /usr/sbin/sshd -f /etc/ssh/sshd_config");
        var host = new TestHost(name, address, holder, new SwitchPort(_switch, number), _hosts);
        _hosts.Add(host);
        return host;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts)
            await host.Holder.DisposeAsync();
        await _switch.DisposeAsync();
    }

    /// <summary>
    /// One key that opens every host for every user, host keys known in advance, and the accounts of the walkthroughs:
    /// <c>postgres</c> as this machine has it, <c>prime</c> and <c>standby</c> beside it.
    /// </summary>
    private async Task WriteEtcAsync()
    {
        string ssh = Directory.CreateDirectory(Path.Combine(Etc, "ssh")).FullName;
        string[] users = ["root", "postgres", .. TestUser.OnHosts.Keys];
        await KeyAsync(Path.Combine(ssh, "host_key"));
        await KeyAsync(Path.Combine(ssh, "user_key"));
        string user = await File.ReadAllTextAsync(Path.Combine(ssh, "user_key.pub"));
        string host = await File.ReadAllTextAsync(Path.Combine(ssh, "host_key.pub"));
        await File.WriteAllTextAsync(Path.Combine(ssh, "authorized_keys"), user);
        await File.WriteAllTextAsync(Path.Combine(ssh, "ssh_known_hosts"), $"* {host}");
        foreach (string name in users)
        {
            // ssh takes a private key only from a file that is its user's alone.
            string own = Path.Combine(ssh, $"user_key_{name}");
            File.Copy(Path.Combine(ssh, "user_key"), own);
            File.SetUnixFileMode(own, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        await File.WriteAllTextAsync(Path.Combine(ssh, "sshd_config"), """
            HostKey /etc/ssh/host_key
            AuthorizedKeysFile /etc/ssh/authorized_keys
            StrictModes no
            UsePAM no
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            PidFile none
            MaxStartups 100
            """ + "\n");
        await File.WriteAllTextAsync(Path.Combine(ssh, "ssh_config"), """
            Host *
              IdentityFile /etc/ssh/user_key_%u
              UserKnownHostsFile none
              StrictHostKeyChecking yes
              UpdateHostKeys no
              BatchMode yes
            """ + "\n");
        await File.WriteAllTextAsync(Path.Combine(Etc, "hosts"), "127.0.0.1 localhost\n");
        await WriteAccountsAsync();
        foreach (string name in users)
            await TestUser.GiveAsync(Path.Combine(ssh, $"user_key_{name}"), name);
    }

    private async Task WriteAccountsAsync()
    {
        await CopyWithAsync("passwd", line => line, u => $"{u.Key}:x:{u.Value}:{u.Value}::{_lab.Directory}/{u.Key}:/bin/bash");
        await CopyWithAsync("group", line => line, u => $"{u.Key}:x:{u.Value}:");
        // sshd lets nobody in whose password is locked with "!"; "*" means that there is none.
        await CopyWithAsync("shadow", line => line.StartsWith("postgres:!", StringComparison.Ordinal) ? "postgres:*:19000::::::" : line,
            u => $"{u.Key}:*:19000::::::");
    }

    private async Task CopyWithAsync(string file, Func<string, string> change, Func<KeyValuePair<string, int>, string> more)
    {
        string[] lines = await File.ReadAllLinesAsync($"/etc/{file}");
        await File.WriteAllLinesAsync(Path.Combine(Etc, file), [.. lines.Select(change), .. TestUser.OnHosts.Select(more)]);
    }

    private static async Task KeyAsync(string path) =>
        await Cli.Wrap("ssh-keygen").WithArguments(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path]).ExecuteBufferedAsync();
}

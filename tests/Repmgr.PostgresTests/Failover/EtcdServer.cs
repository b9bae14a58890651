using System.Text;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover;

/// <summary>An etcd of one member on a host of its own (Debian's package etcd-server; etcdctl is in etcd-client).</summary>
internal sealed class EtcdServer
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Lab _lab;
    private readonly TestHost _host;
    private readonly bool _isSecured;

    private EtcdServer(Lab lab, TestHost host, string directory, bool isSecured) => (_lab, _host, Directory, _isSecured) = (lab, host, directory, isSecured);

    public string Directory { get; }

    public string Url => $"{(_isSecured ? "https" : "http")}://{_host.Address}:2379";

    /// <param name="isSecured">It has a certificate of an authority of its own, and takes only clients that show one of that authority's.</param>
    public static async Task<EtcdServer> StartAsync(Lab lab, TestHost host, bool isSecured = false)
    {
        var etcd = new EtcdServer(lab, host, await lab.SubdirectoryAsync("etcd", TestUser.Name), isSecured);
        if (isSecured)
            await etcd.MakeCertificatesAsync();
        await etcd.StartAsync();
        return etcd;
    }

    public string File(string name) => Path.Combine(Directory, name);

    public async Task StartAsync()
    {
        string[] secured = _isSecured
            ? ["--cert-file", File("etcd.crt"), "--key-file", File("etcd.key"), "--trusted-ca-file", File("ca.crt"), "--client-cert-auth"]
            : [];
        var output = new StringBuilder();
        _ = Of("etcd", ["--data-dir", File("data"), "--listen-client-urls", Url, "--advertise-client-urls", Url, "--listen-peer-urls", "http://127.0.0.1:2380", .. secured])
            .Command(output, output).ExecuteAsync();
        await Eventually.TrueAsync(async () => (await CtlAsync("endpoint", "health")).ExitCode == 0, Patience, "etcd answers");
    }

    /// <summary>It is gone at once.</summary>
    public async Task KillAsync()
    {
        IReadOnlyList<int> processes = [.. Leftovers.In(Directory)];
        foreach (int pid in processes)
            _ = Leftovers.Send(pid, Leftovers.SigKill);
        await Eventually.TrueAsync(() => Task.FromResult(processes.All(Leftovers.IsGone)), Patience, "etcd is gone");
    }

    public async Task<ProgramResult> CtlAsync(params IReadOnlyList<string> arguments)
    {
        string[] secured = _isSecured ? ["--cacert", File("ca.crt"), "--cert", File("client.crt"), "--key", File("client.key")] : [];
        return await _lab.RunAsync(Of("etcdctl", ["--endpoints", Url, .. secured, .. arguments]) with
        {
            Environment = new Dictionary<string, string?> { ["ETCDCTL_API"] = "3" },
        });
    }

    /// <summary>From now on it takes only who logs in; the user may do nothing but below the prefix.</summary>
    public async Task AskForPasswordsAsync(string user, string password, string prefix)
    {
        foreach (string line in new[]
        {
            "user add root:root", "user grant-role root root", $"user add {user}:{password}", "role add repmgr",
            $"role grant-permission repmgr --prefix=true readwrite {prefix}", $"user grant-role {user} repmgr", "auth enable",
        })
            (await CtlAsync(line.Split(' '))).ShouldSucceed();
    }

    private Launch Of(string program, IReadOnlyList<string> arguments) =>
        _lab.Marked(new Launch(program, arguments) { Host = _host, User = TestUser.Name, WorkingDirectory = Directory });

    private async Task MakeCertificatesAsync()
    {
        await System.IO.File.WriteAllTextAsync(File("names"), $"subjectAltName=IP:{_host.Address}\n");
        foreach (string line in new[]
        {
            "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.crt",
            "req -newkey rsa:2048 -nodes -subj /CN=etcd -keyout etcd.key -out etcd.csr",
            "x509 -req -in etcd.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out etcd.crt",
            "req -newkey rsa:2048 -nodes -subj /O=repmgr -keyout client.key -out client.csr",
            "x509 -req -in client.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out client.crt",
        })
            (await _lab.RunAsync(Of("openssl", line.Split(' ')))).ShouldSucceed();
    }
}

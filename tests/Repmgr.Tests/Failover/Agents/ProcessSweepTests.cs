using System.Globalization;
using System.Text;
using Repmgr.Engine.Failover;

namespace Repmgr.Tests.Failover.Agents;

/// <summary>Which processes are of a server, and which of them may still do something (R3), in a tree like /proc. No process has such numbers.</summary>
public sealed class ProcessSweepTests : IDisposable
{
    private const string Nothing = "0000000000000000", Kill = "0000000000000100", Term = "0000000000004000", KillAndTerm = "0000000000004100";

    private readonly string _root = Directory.CreateTempSubdirectory("repmgr-proc-").FullName;
    private readonly byte[] _data;
    private int _pid = 90_000_000;

    public ProcessSweepTests() => _data = ProcessSweep.Canonical(Directory.CreateDirectory(Path.Combine(_root, "data")).FullName);

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void R3_a_process_in_uninterruptible_sleep_counts_as_ended_once_its_SIGKILL_is_pending_26()
    {
        Process("D", own: Kill);
        Process("D", shared: KillAndTerm);
        Assert.Equal((0, 2), Sweep());
    }

    [Fact]
    public void Who_waits_in_the_kernel_and_was_not_killed_acts_on_and_so_does_who_was_killed_and_runs()
    {
        Process("D");
        Process("D", own: Term);
        Process("R", own: Kill);
        Process("S", shared: Kill);
        Assert.Equal((4, 4), Sweep());
    }

    [Fact]
    public void Others_are_left_alone()
    {
        Process("S", directory: Directory.CreateDirectory(Path.Combine(_root, "data2")).FullName);
        Process("S", program: "/bin/bash");
        Process("S", program: "/usr/lib/postgresql/15/bin/postgres (deleted)");
        Directory.CreateDirectory(Path.Combine(_root, "proc", "self"));
        Assert.Equal((1, 1), Sweep());
    }

    [Fact]
    public void Without_a_list_of_processes_nobody_can_tell() => Assert.Equal((-1, -1), Sweep());

    [Fact]
    public void A_process_whose_state_cannot_be_read_may_do_something()
    {
        Process("D", own: Kill);
        File.Delete(Path.Combine(_root, "proc", _pid.ToString(CultureInfo.InvariantCulture), "status"));
        Assert.Equal((1, 1), Sweep());
    }

    private (int Acting, int All) Sweep() => ProcessSweep.Signal(Encoding.UTF8.GetBytes(Path.Combine(_root, "proc")), _data, ProcessSweep.SigKill, 0);

    private void Process(string state, string own = Nothing, string shared = Nothing, string? directory = null, string program = "/usr/lib/postgresql/15/bin/postgres")
    {
        string place = Directory.CreateDirectory(Path.Combine(_root, "proc", (++_pid).ToString(CultureInfo.InvariantCulture))).FullName;
        File.CreateSymbolicLink(Path.Combine(place, "cwd"), directory ?? Path.Combine(_root, "data"));
        File.CreateSymbolicLink(Path.Combine(place, "exe"), program);
        File.WriteAllText(
            Path.Combine(place, "status"),
            $"Name:\tpostgres\nUmask:\t0077\nState:\t{state} (whatever)\nTgid:\t{_pid}\nThreads:\t1\nSigQ:\t3/127000\nSigPnd:\t{own}\nShdPnd:\t{shared}\nSigBlk:\t{Kill}\nSigIgn:\t{Kill}\n");
    }
}

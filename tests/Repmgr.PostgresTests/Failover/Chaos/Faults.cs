using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover.Chaos;

/// <summary>All faults, for the named scenarios and for the soak.</summary>
internal static class Faults
{
    private static readonly TimeSpan Held = TimeSpan.FromSeconds(6);

    public static IReadOnlyList<Fault> All { get; } =
    [
        .. OfProcesses(),
        .. OfHosts(),
        .. OfLines(),
        .. OfDisks(),
        .. OfPeople(),
    ];

    public static Fault Named(string name) => All.Single(fault => fault.Name == name);

    private static IEnumerable<Fault> OfProcesses() =>
    [
        new("the postmaster is killed", static on => on.SendToPostmaster(Leftovers.SigKill)),
        new("the postmaster is frozen", static on => on.SendToPostmaster(Leftovers.SigStop)) { Meanwhile = Meanwhile.AnotherWrites, Heal = static on => on.Thaw() },
        new("a backend is killed", static on => on.SendToBackendAsync(Leftovers.SigKill)),
        // It may hold a lock, which stops all others.
        new("a backend is frozen", static on => on.SendToBackendAsync(Leftovers.SigStop)) { Heal = static on => on.Thaw() },
        new("the agent is killed", static on => on.KillAgentAsync()) { Meanwhile = Meanwhile.AnotherWrites, Heal = static on => on.StartAgent() },
        new("the agent is frozen", static on => on.SendToAgent(Leftovers.SigStop)) { Meanwhile = Meanwhile.AnotherWrites, Heal = static on => on.Thaw() },
        new("the agent is restarted", static on => on.RestartAgentAsync()) { Meanwhile = Meanwhile.TheSameWrites },
        new("the guard is killed", static on => on.SendToGuard(Leftovers.SigKill)),
        new("the guard is frozen", static on => on.FreezeGuardForAsync(Held)) { Heal = static on => on.Thaw() },
    ];

    private static IEnumerable<Fault> OfHosts() =>
    [
        new("the host loses its power", static on => on.LosePowerAsync()) { MayLose = true, Meanwhile = Meanwhile.AnotherWrites, Heal = static on => on.SwitchOnAsync() },
        new("all hosts lose their power", static on => on.AllAsync(each => each.LosePowerAsync()))
        {
            MayLose = true, Meanwhile = Meanwhile.Open, Heal = static on => on.AllAsync(each => each.SwitchOnAsync()),
        },
        new("the host stands still for a while", static on => on.SendToAll(Leftovers.SigStop))
        {
            OnlySynchronous = true, Meanwhile = Meanwhile.AnotherWrites, Heal = static on => on.Thaw(),
        },
    ];

    private static IEnumerable<Fault> OfLines() =>
    [
        new("the host is cut off", static on => on.Host.UnplugAsync()) { MayLose = true, Meanwhile = Meanwhile.AnotherWrites, Heal = static on => on.Host.PlugInAsync() },
        new("nothing that the host sends arrives", static on => on.WithOthersAsync((host, other) => host.CutAsync(other)))
        {
            MayLose = true, Meanwhile = Meanwhile.AnotherWrites, Heal = static on => on.WithOthersAsync((host, other) => host.HealAsync(other)),
        },
        new("nothing that the host is sent arrives", static on => on.WithOthersAsync((host, other) => other.CutAsync(host)))
        {
            MayLose = true, Meanwhile = Meanwhile.AnotherWrites, Heal = static on => on.WithOthersAsync((host, other) => other.HealAsync(host)),
        },
        new("the host and one other do not reach each other", static on => on.WithOneOtherAsync(async (host, other) =>
        {
            await host.CutAsync(other);
            await other.CutAsync(host);
        }))
        {
            Meanwhile = Meanwhile.TheSameWrites,
            Heal = static on => on.WithOneOtherAsync(async (host, other) =>
            {
                await host.HealAsync(other);
                await other.HealAsync(host);
            }),
        },
        new("the line loses a third and is half a second late", static on => on.SpoilLineForAsync(Held))
        {
            MayLose = true, Meanwhile = Meanwhile.Open, Heal = static on => on.Host.PlugInAsync(),
        },
    ];

    private static IEnumerable<Fault> OfDisks() =>
    [
        new("the disk is full", static on => on.FillDiskAsync())
        {
            Prepare = static on => on.MoveOntoAsync(DiskOfItsOwn.Small), Meanwhile = Meanwhile.AnotherWrites,
            Heal = static on => on.Host.EmptyAsync(on.Server.DataDirectory, "full"),
        },
        new("the disk hangs", static on => on.SendToDisk(Leftovers.SigStop))
        {
            Prepare = static on => on.MoveOntoAsync(DiskOfItsOwn.Stoppable), Meanwhile = Meanwhile.AnotherWrites,
            Heal = static on => on.Thaw(),
        },
    ];

    private static IEnumerable<Fault> OfPeople() =>
    [
        new("the clock is set an hour back and two ahead", static on => on.SetClockAsync())
        {
            Prepare = static on => on.RestartAgentUnderAnotherClockAsync(), Meanwhile = Meanwhile.TheSameWrites, Heal = static on => on.RestartAgentAsync(),
        },
        new("the primary is handed over and killed", static on => on.HandOverAndKillAsync()),
        new("the former primary is started by hand again and again", static on => on.KillAndStartByHandAsync()),
    ];
}

using Repmgr.Core.Problems;

namespace Repmgr.Core.CommandLine;

internal static class ServiceCommands
{
    private static readonly (ExitCode Code, string When)[] PauseCodes =
        [(ExitCode.RepmgrdPause, "an agent refused, could not be asked, or no majority acknowledged it in time")];

    public static readonly IReadOnlyList<CommandDefinition> All =
    [
        new(CommandName.ServiceStatus, "service status", "show what the repmgrd of every node does")
        {
            Changes = false,
            Description =
            [
                "Shows each node with its repmgrd: whether that runs, its process ID, whether failover is paused, and how long ago a standby's agent last heard from the primary's. Below the table stand the term, who holds it, how long the lease lasts, and who does not answer and why.",
                "The agents are asked side by side; one that is down costs two seconds, however many there are. When no server of the cluster can be asked, what is shown is what the agents themselves say.",
                "Of a repmgrd with failover = manual only that it runs is seen, by its connection to its server.",
                "--csv prints node ID, name, type, server running (1/0), repmgrd running (1/0, -1: unknown), PID (-1), paused (1/0, -1), priority, seconds since the upstream was last seen (-1) and location.",
            ],
            Needs = ["The local server, or the state directory of the local agent, can be read."],
            Options = [Opt.Detail, Opt.Compact, Opt.Csv, Opt.Json],
            Meanings = new Dictionary<OptionDefinition, string>
            {
                [Opt.Detail] = "show the location and the priority of each node, too",
                [Opt.Compact] = "leave out the column Upstream",
            },
            Examples = [("repmgr -f /etc/repmgr.conf service status", "See which agents run, and who holds the lease.")],
            ExitCodes = [(ExitCode.DbConnection, "neither a server nor an agent could be asked")],
        },
        new(CommandName.ServicePause, "service pause", "keep every repmgrd from failing over")
        {
            Description =
            [
                "Pauses automatic failover in the whole cluster, for maintenance: nobody is elected, and nothing takes a server out of service, whatever ends or is cut off. The primary's agent goes on renewing its lease, so that the end of the pause moves nothing either.",
                "It ends by itself after --for. A pause is no safe state: a primary that is lost stays lost, and one that is restarted comes up read-only and stays so, until it is over. To restart agents, no pause is needed, and to restart the primary's server it does harm: see docs/failover.md.",
                "The command returns when a majority of the agents has acknowledged the pause; from then on it is in force.",
            ],
            Needs = ["failover = automatic, and a primary whose agent answers."],
            Options = [Opt.For, Opt.DryRun, Opt.Json],
            Examples =
            [
                ("repmgr -f /etc/repmgr.conf service pause --for=15min", "Pause for a quarter of an hour at most."),
                ("repmgr -f /etc/repmgr.conf service pause --dry-run", "See who would be asked."),
            ],
            ExitCodes = PauseCodes,
        },
        new(CommandName.ServiceUnpause, "service unpause", "let every repmgrd fail over again")
        {
            Description =
            [
                "Ends a pause. The agent of the primary is asked to, since it alone knows whether its server writes; voters vote again a lease_ttl after they have heard of it.",
                "If that agent cannot be asked, the command refuses. With --holder-is-down you give your word that the host of the primary is down, and the others end the pause without it. That is refused while its agent or its server answers, or any standby still receives from it. If it was only cut off and is a primary still, there will be two until the pause runs out there: the command says when.",
            ],
            Needs = ["failover = automatic."],
            Options = [Opt.HolderIsDown, Opt.DryRun, Opt.Json],
            Examples =
            [
                ("repmgr -f /etc/repmgr.conf service unpause", "End the pause."),
                ("repmgr -f /etc/repmgr.conf service unpause --holder-is-down", "End it although the primary was lost, so that another is elected."),
            ],
            ExitCodes = PauseCodes,
        },
        new(CommandName.ServiceSet, "service set", "change what the whole cluster goes by, while it runs")
        {
            Description =
            [
                "Changes what commits wait for, and times that all agents have to share. The agents took these values from the file of the primary's node when failover began, and have remembered them since; what stands in repmgr.conf is not looked at any more. A node whose file says something else warns when its repmgrd starts.",
                "The primary's agent is asked, which lets a majority of the agents remember the change. Nothing is restarted, and no connection is lost. The command returns when a majority remembers it and, where commits are to wait for standbys, when they do.",
                "What is not given stays as it is. With --dry-run it is said what would be asked, and what would follow.",
            ],
            Needs = ["failover = automatic, a primary that holds the lease, and a majority of the agents.", "For --synchronous=strict: as many standbys that stream as are to acknowledge."],
            Options = [Opt.Synchronous, Opt.SynchronousNodeCount, Opt.LeaseTtl, Opt.AgentRestartGrace, Opt.DryRun, Opt.Json],
            Examples =
            [
                ("repmgr -f /etc/repmgr.conf service set --synchronous=quorum", "Let each commit wait until a standby has it on disk."),
                ("repmgr -f /etc/repmgr.conf service set --lease-ttl=10s --dry-run", "See what it would take to let leases last ten seconds."),
            ],
            ExitCodes = [(ExitCode.DbConnection, "no agent could be asked"), (ExitCode.RepmgrdService, "an agent refused, or it has not come into force in time")],
            Faults = options => options is { Synchronous: null, SynchronousNodeCount: null, LeaseTtl: null, AgentRestartGrace: null }
                ? [new Problem("nothing was given that is to be changed", Hint: "Use --synchronous, --synchronous-node-count, --lease-ttl or --agent-restart-grace.")]
                : [],
        },
        new(CommandName.DaemonStart, "daemon start", "start the local repmgrd")
        {
            Description =
            [
                "Runs repmgrd_service_start_command and waits until the repmgrd of this node runs. There is no other way in which this command would start it: a repmgrd that nobody looks after is not there after the next reboot.",
            ],
            Needs = ["repmgrd_service_start_command is set."],
            Options = [Opt.Wait, Opt.NoWait, Opt.DryRun, Opt.Json],
            Meanings = new Dictionary<OptionDefinition, string> { [Opt.Wait] = "wait this long until it runs (default: 15 seconds)" },
            Examples = [("repmgr -f /etc/repmgr.conf daemon start", "Start it, and wait until it runs.")],
            ExitCodes = [(ExitCode.RepmgrdService, "it could not be started, or did not run in time")],
        },
        new(CommandName.DaemonStop, "daemon stop", "stop the local repmgrd")
        {
            Description =
            [
                "Runs repmgrd_service_stop_command, or where that is not set sends SIGTERM to the repmgrd of this node, and waits until it has ended.",
                "With failover = automatic, the agent of a primary that is stopped has agent_restart_grace to be started again. After that its guard takes the server out of service, and the others elect another primary; the command says so.",
            ],
            Needs = ["The repmgrd of this node runs."],
            Options = [Opt.Wait, Opt.NoWait, Opt.DryRun, Opt.Json],
            Meanings = new Dictionary<OptionDefinition, string> { [Opt.Wait] = "wait this long until it has ended (default: 15 seconds)" },
            Examples = [("repmgr -f /etc/repmgr.conf daemon stop", "Stop it, and wait until it has ended.")],
            ExitCodes = [(ExitCode.RepmgrdService, "it could not be stopped, or did not end in time")],
        },
        new(CommandName.ClusterExplain, "cluster explain", "say why the agents decided as they did, and what would happen if a node were lost")
        {
            Changes = false,
            Description =
            [
                "Asks the agents what they decided last and on what, also where they decided not to act; says what keeps a failover from happening at this moment; and for each node, or that of --node-id, what would come of its loss now: who would be primary, after how long, what would be lost, or which rule would stand in the way.",
                "The rules are named R1 to R18, as in docs/failover.md. Nothing is tried: the answer is drawn from what the agents say.",
            ],
            Needs = ["failover = automatic, and at least one agent that answers."],
            Options = [Opt.NodeId, Opt.All, Opt.Json],
            Meanings = new Dictionary<OptionDefinition, string>
            {
                [Opt.NodeId] = "say what would come of the loss of this node only",
                [Opt.All] = "show all decisions that the agents still have, not the newest five of each",
            },
            Examples =
            [
                ("repmgr -f /etc/repmgr.conf cluster explain", "See why there was, or was not, a failover."),
                ("repmgr -f /etc/repmgr.conf cluster explain --node-id=1", "See what would come of the loss of node 1."),
            ],
            ExitCodes = [(ExitCode.DbConnection, "no agent could be asked")],
        },
    ];
}

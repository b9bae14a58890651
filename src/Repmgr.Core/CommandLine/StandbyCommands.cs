using Repmgr.Core.Problems;

namespace Repmgr.Core.CommandLine;

internal static class StandbyCommands
{
    public static readonly IReadOnlyList<CommandDefinition> All =
    [
        new(CommandName.StandbyClone, "standby clone", "copy a running server, to make a standby of it")
        {
            Argument = "node",
            Options =
            [
                Opt.Host, Opt.Port, Opt.Username, Opt.Dbname,
                Opt.Pgdata, Opt.Method, Opt.DryRun, Opt.Force, Opt.Json,
                Opt.WalKeepSegments, Opt.FastCheckpoint, Opt.MaxRate, Opt.VerifyBackup, Opt.CopyExternalConfigFiles,
                Opt.RemoteUser, Opt.IgnoreRsyncWarning, Opt.Jobs,
                Opt.UpstreamNodeId, Opt.UpstreamConninfo, Opt.ReplicationUser, Opt.RecoveryMinApplyDelay, Opt.NoUpstreamConnection, Opt.ReplicationConfOnly,
                Opt.WithoutBarman, Opt.CheckUpstreamConfig, Opt.RemoteConfigFile,
            ],
            Faults = CloneFaults,
        },
        new(CommandName.StandbyRegister, "standby register", "register the local server as a standby")
        {
            Options = [Opt.UpstreamNodeId, Opt.WaitStart, Opt.WaitSync, Opt.DryRun, Opt.Force, Opt.Json, Opt.Host, Opt.Port, Opt.Username, Opt.Dbname],
        },
        new(CommandName.StandbyUnregister, "standby unregister", "remove a standby's record")
        {
            Options = [Opt.NodeId, Opt.DryRun, Opt.Force, Opt.Json],
        },
        new(CommandName.StandbyPromote, "standby promote", "make the local standby the primary")
        {
            Options = [Opt.DryRun, Opt.Force, Opt.Json],
        },
        new(CommandName.StandbyFollow, "standby follow", "make the local standby replicate from another node")
        {
            Argument = "node",
            Options = [Opt.UpstreamNodeId, Opt.Wait, Opt.DryRun, Opt.Force, Opt.Json],
            Faults = FollowFaults,
        },
    ];

    private static IEnumerable<Problem> CloneFaults(CommandOptions options)
    {
        if (options is { Argument: { } node, Host: { } host })
            yield return new Problem("the node to clone is given twice", $"Once as \"{node}\" after the command and once as \"{host}\" with -h/--host.", "Give it once.");

        OptionDefinition[] foreign = options.ReplicationConfOnly
            ? [Opt.Method, Opt.VerifyBackup, Opt.MaxRate, Opt.FastCheckpoint, Opt.WalKeepSegments, Opt.CopyExternalConfigFiles, Opt.RemoteUser, Opt.IgnoreRsyncWarning, Opt.Jobs]
            : options.CloneMethod == "rsync" ? [Opt.VerifyBackup] : [Opt.IgnoreRsyncWarning, Opt.Jobs];
        foreach (OptionDefinition option in foreign.Where(options.Has))
        {
            yield return options.ReplicationConfOnly
                ? new Problem($"options {option.Display} and {Opt.ReplicationConfOnly.Display} exclude each other", "Nothing is copied, so how to copy means nothing.")
                : new Problem($"option {option.Display} does not go with method {options.CloneMethod}", Hint: $"Add --method={(options.CloneMethod == "rsync" ? "basebackup" : "rsync")}, or leave the option out.");
        }
    }

    private static IEnumerable<Problem> FollowFaults(CommandOptions options)
    {
        if (options is { Argument: { } node, UpstreamNodeId: { } id })
            yield return new Problem("the node to follow is given twice", $"Once as \"{node}\" after the command and once as {id} with --upstream-node-id.", "Give it once.");
    }
}

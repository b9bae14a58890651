using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Engine.Files;

namespace Repmgr.Cli.Commands;

/// <summary>A command of a configured node. It begins where the configuration is read and complete, and the tools are at hand.</summary>
internal abstract class NodeCommand : ICommand
{
    public async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancel)
    {
        if (!context.TryReadSettings(out SettingsLoad.Loaded? loaded))
            return Unusable(context);

        List<Problem> problems = [.. LocalNode.Missing(loaded.Settings)];
        Conninfo? elsewhere = null;
        if (ConnectionOptions.AreGiven(context.Options)
            && !ConnectionOptions.TryRead(context.Options, loaded.Settings.Conninfo, out elsewhere, out Problem? problem))
            problems.Add(problem);
        if (problems.Count > 0)
        {
            context.Refuse(problems);
            return Unusable(context);
        }

        using NodeTools tools = new(context, loaded.Settings);
        return await RunAsync(new LocalNode(context, loaded, elsewhere, tools), cancel);
    }

    /// <summary>The configuration cannot be used; why not has been said.</summary>
    protected virtual ExitCode Unusable(CommandContext context) => ExitCode.BadConfig;

    protected abstract Task<ExitCode> RunAsync(LocalNode node, CancellationToken cancel);
}

using Repmgr.Core.Cluster;
using Repmgr.Core.Hosts;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Core.Verification;
using Repmgr.Engine.Files;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Observation;
using Repmgr.Engine.Verification;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr node verify</c></summary>
internal sealed class NodeVerifyCommand : ICommand
{
    private const int MostLines = 50;

    private static readonly TimeSpan CatchUpWithin = TimeSpan.FromSeconds(60);

    public async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancel)
    {
        if (!context.TryReadSettings(out SettingsLoad.Loaded? loaded))
            return ExitCode.BadConfig;

        Settings settings = loaded.Settings;
        using NodeTools tools = new(context, settings);
        Detected<string> directory = context.Options.Pgdata is { } named
            ? new Detected<string>.Found(Path.GetFullPath(named).TrimEnd('/'), "from -D/--pgdata")
            : await LocalHost.DataDirectoryAsync(settings, null, cancel);
        if (directory is Detected<string>.Unclear unclear)
            return context.Refuse(unclear.Problem);

        string here = ((Detected<string>.Found)directory).Value;
        (Conninfo? source, Problem? problem) = await SourceAsync(context, tools, settings, here, cancel);
        if (source is null)
            return context.Refuse(problem!);

        var wish = new VerifyWish(
            here,
            source,
            settings.Conninfo,
            context.Options.Jobs ?? Math.Clamp(Environment.ProcessorCount, 2, 8),
            context.Options.MaxRate,
            context.Options.WaitReplay ?? CatchUpWithin);
        VerifyLook look = await new VerifyObserver(tools.Connector, settings).LookAsync(wish, cancel);
        if (look is not VerifyLook.Ready { Request: var request })
            return context.Refuse(((VerifyLook.Refused)look).Problems, ((VerifyLook.Refused)look).ExitCode);

        VerifyOutcome outcome = await new CopyVerification(request, tools.Connector, context.Progress, TimeProvider.System).RunAsync(cancel);
        return outcome switch
        {
            VerifyOutcome.Compared compared => Say(context, compared.Result, request),
            VerifyOutcome.Failed failed => context.Refuse(failed.Problem, failed.ExitCode),
            _ => throw new InvalidOperationException("an outcome of no known kind"),
        };
    }

    /// <summary>The server that the options name, else the one that this node replicates from.</summary>
    private static async Task<(Conninfo? Source, Problem? Problem)> SourceAsync(
        CommandContext context, NodeTools tools, Settings settings, string directory, CancellationToken cancel)
    {
        if (ConnectionOptions.AreGiven(context.Options))
            return ConnectionOptions.TryRead(context.Options, settings.Conninfo, out Conninfo? named, out Problem? wrong) ? (named, null) : (null, wrong);
        if (settings.Conninfo is not { } own)
            return (null, new Problem("the server to compare with is not named", "Without a configuration file this node's upstream is not known.", "Name it with -h, -p, -U and -d, or a configuration file with -f."));

        NodeLook look = await tools.Observer.LookAsync(own, cancel);
        return Upstream(look, settings, own, directory) is { } upstream
            ? (upstream, null)
            : (null, new Problem(
                look.Probe is NodeProbe.Primary ? "this node is a primary, and has no upstream to be compared with" : "this node's upstream is not known",
                Hint: "Name a server of the cluster with -h."));
    }

    private static Conninfo? Upstream(NodeLook look, Settings settings, Conninfo own, string directory)
    {
        if (look.Probe is NodeProbe.Primary)
            return null;
        if (NodeReach.Upstream(look.Probe, own) is { } streaming)
            return streaming;
        if ((look.Probe is NodeProbe.Standby || SignalFiles.IsStandby(directory)) && ConfiguredUpstream.Of(directory, own) is { } configured)
            return configured;

        NodeRecord? record = look.Table.RecordsOrNone.FirstOrDefault(node => node.Id == settings.NodeId);
        return look.Table.RecordsOrNone.FirstOrDefault(node => node.Id == record?.Upstream) is { } registered ? NodeReach.Of(registered, own) : null;
    }

    private static ExitCode Say(CommandContext context, VerifyResult result, VerifyRequest request)
    {
        Problem? verdict = VerifyText.Verdict(result, request.SourceName);
        ExitCode exitCode = verdict is null ? ExitCode.Success : ExitCode.NodeStatus;
        foreach (FileFinding finding in result.Findings.Take(MostLines))
            context.Output.Line(VerifyText.Line(finding));
        if (result.Findings.Count > MostLines)
            context.Output.Line($"... and {result.Findings.Count - MostLines} more files; --json lists them all");
        if (verdict is not null)
            context.Log.Write(Severity.Error, verdict);
        else
            context.Output.Line(VerifyText.Same(result, request.SourceName));
        if (VerifyText.Rest(result) is { } rest)
            context.Log.Write(Severity.Notice, rest);
        if (context.Options.Json)
            context.Output.Json(NodeVerifyJson.Of(result, request, exitCode), NodeVerifyJsonContext.Default.NodeVerifyJson);
        return exitCode;
    }
}

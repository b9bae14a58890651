using System.Globalization;
using System.Text.Json;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Settings;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Processes;

namespace Repmgr.Engine.Failover;

/// <summary>
/// The operator's commands around a change of role. They get a line of JSON on their standard input, and a deadline. None of them decides: one that fails, or takes
/// too long, is logged, and what it was run for goes on (docs/adr/0091).
/// </summary>
internal sealed class AgentHooks(Settings settings, NodeId node, string name, ILog log)
{
    /// <summary>The lease goes on while a promotion waits for a command.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan NoTime = TimeSpan.FromMilliseconds(50);

    public Task BeforePromoteAsync(AgentStep.Promote step, CancellationToken cancel) =>
        RunAsync(settings.BeforePromoteCommand, "before_promote_command", "before_promote", node, step.Term, step.NotAfter - BootClock.Now - Margin, cancel);

    public void AfterPromote(AgentStep.Promote step) => Begin(settings.AfterPromoteCommand, "after_promote_command", "after_promote", node, step.Term);

    /// <summary>Of a server that is to be stopped in good order, so that another node takes over: its lease is renewed meanwhile.</summary>
    public Task BeforeDemoteAsync(NodeId successor, CancellationToken cancel) =>
        RunAsync(settings.BeforeDemoteCommand, "before_demote_command", "before_demote", successor, null, settings.HookTimeout, cancel);

    /// <summary>Of a server that is taken out of service for any other reason. Nothing waits for the command, since there is no time (R3).</summary>
    public void BesideDemote() => Begin(settings.BeforeDemoteCommand, "before_demote_command", "before_demote", null, null);

    public void AfterDemote() => Begin(settings.AfterDemoteCommand, "after_demote_command", "after_demote", null, null);

    public Task BeforeFollowAsync(AgentStep.Follow step, CancellationToken cancel) =>
        RunAsync(settings.BeforeFollowCommand, "before_follow_command", "before_follow", step.Holder, step.Term, settings.HookTimeout, cancel);

    public void AfterFollow(AgentStep.Follow step) => Begin(settings.AfterFollowCommand, "after_follow_command", "after_follow", step.Holder, step.Term);

    /// <summary>The last means against a server whose processes do not end: a command that switches its host off, say.</summary>
    /// <returns>Whether the command says that nothing of it writes any more.</returns>
    public async Task<bool> FenceAsync(CancellationToken cancel) =>
        settings.FenceCommand is not null && await RunAsync(settings.FenceCommand, "fence_command", "fence", null, null, settings.HookTimeout, cancel);

    /// <summary>The same, where the server is out of service already, and only its storage is not sure to be left alone.</summary>
    public void BeginFence() => Begin(settings.FenceCommand, "fence_command", "fence", null, null);

    // What comes afterwards holds up nothing.
    private void Begin(string? command, string key, string happens, NodeId? primary, Term? term)
    {
        if (command is not null)
            _ = Task.Run(() => RunAsync(command, key, happens, primary, term, settings.HookTimeout, CancellationToken.None));
    }

    private async Task<bool> RunAsync(string? command, string key, string happens, NodeId? primary, Term? term, TimeSpan within, CancellationToken cancel)
    {
        if (command is null)
            return false;
        TimeSpan limit = within < settings.HookTimeout ? within : settings.HookTimeout;
        if (limit < NoTime)
        {
            log.Warning($"there was no time to run {key}", "The lease would have ended before.");
            return false;
        }

        string output = Path.GetTempFileName();
        try
        {
            // A file, not a pipe: what the command leaves running would hold it open.
            ProgramResult result = await ExternalProgram.RunAsync(
                "/bin/sh", ["-c", "exec >>\"$1\" 2>&1; eval \"$2\"", "sh", output, command], null, limit, cancel, Input(happens, primary, term));
            string said = string.Join(' ', (await File.ReadAllTextAsync(output, CancellationToken.None)).Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(3));
            if (result.Succeeded)
                log.Info($"{key} was run", said.Length > 0 ? said : null);
            else
                log.Warning($"{key} failed", $"{result.Explain(command)} {said}".Trim());
            return result.Succeeded;
        }
        finally
        {
            File.Delete(output);
        }
    }

    /// <summary>One line: what happens, to which node, and who is to be the primary in which term.</summary>
    internal string Input(string happens, NodeId? primary, Term? term)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            writer.WriteString("event", happens);
            writer.WriteNumber("node_id", node.Value);
            writer.WriteString("node_name", name);
            if (primary is { } holder)
                writer.WriteNumber("primary_node_id", holder.Value);
            if (term is { } of)
                writer.WriteNumber("term", of.Number);
            writer.WriteEndObject();
        }

        return string.Create(CultureInfo.InvariantCulture, $"{System.Text.Encoding.UTF8.GetString(stream.ToArray())}\n");
    }
}

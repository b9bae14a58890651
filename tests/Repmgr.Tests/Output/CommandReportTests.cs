using Repmgr.Cli.Commands;
using Repmgr.Cli.Output;
using Repmgr.Core.Cluster;
using Repmgr.Core.CommandLine;
using Repmgr.Core.Planning;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Engine.Execution;

namespace Repmgr.Tests.Output;

/// <summary>What a command that carries out a plan leaves on standard output and standard error.</summary>
public sealed class CommandReportTests
{
    private static readonly NodeRecord Node = new(new NodeId(2), null, true, "node2", NodeType.Standby, "default", 100, "host=node2", "repmgr", null, "/etc/repmgr.conf");
    private static readonly Planned Plan = new Planned.Ready(new Plan([new Step.Promote(Conninfo.Empty, Node, new Core.Planning.Promotion.PromoteWay.Sql(), TimeSpan.FromSeconds(60))]), [new Problem("nodes are left behind")]);

    [Fact]
    public async Task A_dry_run_prints_the_numbered_steps_and_runs_none()
    {
        (ExitCode exitCode, string output, string error) = await CarryOutAsync("--dry-run", new Runner(null));
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Equal("1. promote node \"node2\" (ID: 2) to primary\n", output);
        Assert.Equal("NOTICE: nodes are left behind\n", error);
    }

    [Fact]
    public async Task A_step_that_fails_ends_the_command_with_its_exit_code()
    {
        (ExitCode exitCode, string output, string error) = await CarryOutAsync("", new Runner(new StepOutcome.Failed(new Problem("it did not"), ExitCode.PromotionFailed)));
        Assert.Equal(ExitCode.PromotionFailed, exitCode);
        Assert.Equal("", output);
        Assert.EndsWith("ERROR: it did not\n", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_json_there_is_one_document_that_says_what_was_done()
    {
        (_, string output, _) = await CarryOutAsync("--json", new Runner(new StepOutcome.Done("it is")));
        Assert.Equal(
            """
            {
              "command": "standby promote",
              "success": true,
              "exit_code": 0,
              "dry_run": false,
              "steps": [
                {
                  "step": "promote node \"node2\" (ID: 2) to primary",
                  "outcome": "done",
                  "note": "it is"
                }
              ],
              "messages": [
                {
                  "level": "NOTICE",
                  "message": "nodes are left behind",
                  "detail": null,
                  "hint": null
                },
                {
                  "level": "INFO",
                  "message": "promote node \"node2\" (ID: 2) to primary",
                  "detail": null,
                  "hint": null
                },
                {
                  "level": "INFO",
                  "message": "it is",
                  "detail": null,
                  "hint": null
                }
              ]
            }

            """,
            output);
    }

    [Fact]
    public async Task With_json_a_dry_run_reports_the_steps_as_planned()
    {
        (_, string output, _) = await CarryOutAsync("--json --dry-run", new Runner(null));
        Assert.Contains("\"dry_run\": true", output, StringComparison.Ordinal);
        Assert.Contains("\"outcome\": \"planned\"", output, StringComparison.Ordinal);
    }

    private static async Task<(ExitCode ExitCode, string Output, string Error)> CarryOutAsync(string options, IStepRunner runner)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var run = (Invocation.Run)CommandLineParser.Parse(["standby", "promote", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)], CommandTable.Repmgr);
        var journal = new CommandJournal();
        using var log = new TerminalLog(error, run.Options, journal);
        var result = new ResultOutput(output, run.Options, journal);
        ExitCode exitCode = (await new CommandContext(run.Command, run.Options, log, result, journal).CarryOutAsync(Plan, runner, TestContext.Current.CancellationToken)).ExitCode;
        result.Close(run.Command.Words, exitCode);
        return (exitCode, output.ToString(), error.ToString());
    }

    /// <summary>Answers every step alike; with no answer, no step may come.</summary>
    private sealed class Runner(StepOutcome? answer) : IStepRunner
    {
        public Task<StepOutcome> RunAsync(Step step, CancellationToken cancel) =>
            Task.FromResult(answer ?? throw new InvalidOperationException($"no step was to be done: {step.Describe()}"));
    }
}

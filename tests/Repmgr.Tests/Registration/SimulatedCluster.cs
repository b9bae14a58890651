using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning;
using Repmgr.Core.Planning.Registration;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Tests.Cluster;

namespace Repmgr.Tests.Registration;

/// <summary>A small working cluster: servers that are what they are, one table, and steps done to it as the engine does them.</summary>
internal sealed class SimulatedCluster
{
    public Dictionary<int, NodeProbe> Servers { get; } = [];

    public Dictionary<NodeId, NodeRecord> Table { get; } = [];

    public SchemaState Schema { get; set; } = new SchemaState.Absent(false);

    public bool OriginalViews { get; set; }

    public RightsView Rights { get; set; } = Allowed;

    public static RightsView Allowed { get; } = new(
        "repmgr", "repmgr", IsSuperuser: false, CreateInDatabase: true, new SchemaRights(true, true, []), null,
        OwnsExtension: true, Monitors: true, Promotes: true, Resumes: true, Checkpoints: true, "repmgr", Replicates: true);

    public ClusterView View => World.See([.. Table.Values.OrderBy(record => record.Id).Select(record =>
        new NodeView(record, Servers.GetValueOrDefault(record.Id.Value, World.Silent), record))]);

    public MetadataView Metadata => new(Schema, Rights, OriginalTables: false, OriginalViews, PreloadsLibrary: false);

    public void Register(params NodeRecord[] records)
    {
        Schema = new SchemaState.Present(SchemaState.Current);
        foreach (NodeRecord record in records)
            Table[record.Id] = record;
    }

    public StepOutcome Do(Step step)
    {
        switch (step)
        {
            case Step.EnsureSchema ensure:
                bool ready = Schema is SchemaState.Present { Version: SchemaState.Current } && (ensure.Cluster is null || OriginalViews);
                Schema = new SchemaState.Present(SchemaState.Current);
                OriginalViews |= ensure.Cluster is not null;
                return ready ? new StepOutcome.AlreadyDone() : new StepOutcome.Done();

            case Step.WriteNode write:
                NodeRecord? before = Table.GetValueOrDefault(write.Record.Id);
                List<NodeId> active = [.. write.Deactivate.Where(id => Table[id].Active)];
                if (before == write.Record && active.Count == 0)
                    return new StepOutcome.AlreadyDone();
                if (before is not null && before != write.Record && !write.Replace)
                    return new StepOutcome.Failed(new Problem("occupied"), ExitCode.DbQuery);
                if (write.Record.Upstream is { } upstream && !Table.ContainsKey(upstream))
                    return new StepOutcome.Failed(new Problem("violates foreign key"), ExitCode.DbQuery);
                foreach (NodeId id in active)
                    Table[id] = Table[id] with { Active = false };
                Table[write.Record.Id] = write.Record;
                return new StepOutcome.Done();

            case Step.DeleteNode delete:
                return Table.Remove(delete.Record.Id) ? new StepOutcome.Done() : new StepOutcome.AlreadyDone();

            case Step.AwaitNodeRecord wait:
                return Table.GetValueOrDefault(wait.Record.Id) == wait.Record
                    ? new StepOutcome.AlreadyDone()
                    : new StepOutcome.Failed(new Problem("not there"), ExitCode.RegistrationSync);

            default:
                throw new InvalidOperationException(step.GetType().Name);
        }
    }

    /// <summary>
    /// Stops the plan after every step, looks and plans again, and finishes; does every step twice. Always the same must come of it.
    /// </summary>
    /// <param name="start">Makes the cluster anew.</param>
    /// <param name="plan">Looks and plans.</param>
    /// <param name="mayRefuseWhenDone">After the last step the command may say that there is nothing left to do by refusing.</param>
    public static SimulatedCluster InEveryPrefix(
        Func<SimulatedCluster> start, Func<SimulatedCluster, Planned> plan, bool mayRefuseWhenDone)
    {
        SimulatedCluster whole = start();
        IReadOnlyList<Step> steps = Assert.IsType<Planned.Ready>(plan(whole)).Plan.Steps;
        foreach (Step step in steps)
        {
            Assert.IsNotType<StepOutcome.Failed>(whole.Do(step));
            Assert.IsType<StepOutcome.AlreadyDone>(whole.Do(step));
        }

        for (int done = 0; done <= steps.Count; done++)
        {
            SimulatedCluster broken = start();
            foreach (Step step in steps.Take(done))
                broken.Do(step);

            switch (plan(broken))
            {
                case Planned.Ready again:
                    Assert.All(again.Plan.Steps, step => Assert.IsNotType<StepOutcome.Failed>(broken.Do(step)));
                    break;
                case Planned.Refused refused:
                    Assert.True(mayRefuseWhenDone && whole.Table.SequenceEqual(broken.Table), refused.Problems[0].Message);
                    break;
            }

            Assert.Equal(whole.Table.OrderBy(row => row.Key), broken.Table.OrderBy(row => row.Key));
            Assert.Equal(whole.Schema, broken.Schema);
        }

        return whole;
    }

    public static Conninfo Parse(string text) =>
        Conninfo.TryParse(text, out Conninfo? conninfo, out Problem? problem) ? conninfo : throw new InvalidOperationException(problem.Message);
}

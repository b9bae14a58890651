using System.Diagnostics;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.House;

public sealed class LeftoversTest : LabTest
{
    [Fact]
    public void A_test_ends_its_own_processes_and_not_those_of_one_whose_directory_begins_alike()
    {
        string one = Path.Combine(Lab.Directory, "1"), twelve = Path.Combine(Lab.Directory, "12");
        using Process ours = Waiting(one), below = Waiting(Path.Combine(one, "node1")), other = Waiting(twelve);

        Assert.Equal(new[] { ours.Id, below.Id }.Order(), Leftovers.In(one).Order());
        Leftovers.Kill(one);
        Assert.True(ours.WaitForExit(Seconds(10)) && below.WaitForExit(Seconds(10)));
        Assert.False(other.HasExited);
        other.Kill();
    }

    /// <summary>A process that reads what never comes.</summary>
    private static Process Waiting(string directory)
    {
        var start = new ProcessStartInfo("cat") { RedirectStandardInput = true };
        start.Environment[Leftovers.Marker] = directory;
        return Process.Start(start)!;
    }
}

using System.Text.Json;
using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Clone;

/// <summary>What <c>--json</c> says of a clone, for those who measure and those who automate.</summary>
public sealed class CloneResultTest : CloneTest
{
    [Theory, EveryMajor]
    public async Task Each_way_of_copying_gives_one_object_with_what_came_of_it(int major)
    {
        var (source, target) = await OnHostsAsync(major);
        await FillAsync(source, 20_000);

        JsonElement first = ResultOf(await CloneAsync(target, Clone(source, "--method=basebackup", "--json")), "basebackup");
        Assert.Equal(0, first.GetProperty("bytes_compared").GetInt64());
        Assert.InRange(first.GetProperty("bytes_moved").GetInt64(), first.GetProperty("bytes_total").GetInt64() * 9 / 10, first.GetProperty("bytes_total").GetInt64() * 11 / 10);
        Assert.Equal("done", first.GetProperty("steps")[0].GetProperty("outcome").GetString());

        JsonElement second = ResultOf(await CloneAsync(target, Clone(source, "--method=rsync", "--force", "--jobs=2", "--json")), "rsync");
        Assert.Equal(2, second.GetProperty("jobs").GetInt32());
        Assert.InRange(second.GetProperty("bytes_moved").GetInt64(), 1, second.GetProperty("bytes_total").GetInt64() / 4);

        JsonElement third = ResultOf(await CloneAsync(target, Clone(source, "--force", "--json")), "direct");
        Assert.InRange(third.GetProperty("bytes_compared").GetInt64(), third.GetProperty("bytes_total").GetInt64() / 2, third.GetProperty("bytes_total").GetInt64());
        Assert.InRange(third.GetProperty("bytes_moved").GetInt64(), 1, third.GetProperty("bytes_total").GetInt64() / 4);
        await StartsAndStreamsAsync(target, source);
    }

    [Fact]
    public async Task A_clone_that_fails_gives_the_report_of_any_command()
    {
        var (source, target) = await OnLoopbackAsync(PostgresMajor.Default);
        await target.WriteConfAsync("clone_command='echo away; false'");
        var run = (await CloneAsync(target, Clone(source, "--method=command", "--json"))).ShouldExit(ExitCode.LocalCommand);
        JsonElement report = JsonSerializer.Deserialize<JsonElement>(run.Stdout);
        Assert.False(report.GetProperty("success").GetBoolean());
        Assert.False(report.TryGetProperty("bytes_total", out _));
        Assert.Contains(report.GetProperty("messages").EnumerateArray(), message => message.GetProperty("detail").GetString()?.Contains("away", StringComparison.Ordinal) == true);
    }
}

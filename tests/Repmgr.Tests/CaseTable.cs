using System.Text;
using Repmgr.Core.Problems;

namespace Repmgr.Tests;

/// <summary>A golden file of cases: lines that begin with <c>$</c> are run, and what follows each is what it said and its exit code.</summary>
internal sealed class CaseTable(string path, string prompt)
{
    private readonly string[] _lines = File.ReadAllLines(Path.Combine(Golden.Root, path));

    public IReadOnlyList<string> Cases => [.. _lines.Where(IsCase)];

    /// <summary>Runs every case and compares; comments and empty lines stay where they are.</summary>
    public async Task MatchesAsync(Func<string, Task<(ExitCode ExitCode, string Error)>> run)
    {
        var text = new StringBuilder();
        foreach (string line in _lines)
        {
            if (line.Length == 0 || line[0] == '#')
                text.Append(line).Append('\n');
            if (!IsCase(line))
                continue;

            (ExitCode exitCode, string error) = await run(line);
            text.Append(line).Append('\n').Append(error).Append("exit ").Append((int)exitCode).Append('\n');
        }

        Golden.Matches(path, text.ToString());
    }

    private bool IsCase(string line) => line.StartsWith(prompt, StringComparison.Ordinal);
}

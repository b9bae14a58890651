using Repmgr.Core.Problems;

namespace Repmgr.Core.Postgres;

/// <summary>A connection service file: sections <c>[name]</c> with lines <c>keyword=value</c>.</summary>
/// <remarks>https://www.postgresql.org/docs/current/libpq-pgservice.html</remarks>
public static class ServiceFile
{
    /// <summary>What the section of that name gives; null when the file has no such section, or when there is a problem.</summary>
    /// <param name="text">The file.</param>
    /// <param name="file">Its path, for messages.</param>
    /// <param name="service">The section.</param>
    /// <param name="problem">What is wrong with the section.</param>
    public static Conninfo? Find(string text, string file, string service, out Problem? problem)
    {
        ArgumentNullException.ThrowIfNull(text);
        problem = null;
        Conninfo? found = null;
        string[] lines = text.Split('\n');
        for (int i = 0; i < lines.Length && problem is null; i++)
        {
            string line = lines[i].Trim();
            if (line.Length == 0 || line[0] == '#')
                continue;

            if (line[0] == '[')
            {
                if (found is not null)
                    return found;
                found = line == $"[{service}]" ? Conninfo.Empty : null;
            }
            else if (found is not null)
            {
                found = ReadLine(line, found, out string? wrong);
                problem = wrong is null ? null : new Problem($"{wrong} in service file \"{file}\" line {i + 1}");
            }
        }

        return problem is null ? found : null;
    }

    /// <summary>The first value for a keyword wins, unlike in a connection string.</summary>
    private static Conninfo ReadLine(string line, Conninfo found, out string? wrong)
    {
        string[] parts = line.Split('=', 2);
        wrong = parts switch
        {
            ["service" or "servicefile", _] => $"\"{parts[0]}\" must not stand",
            [var keyword, _] when ConninfoKeyword.Find(keyword) is null => $"unknown keyword \"{keyword}\"",
            [_, _] => null,
            _ => "missing \"=\"",
        };
        return wrong is null && found[parts[0]] is null ? found.WithPair(parts[0], parts[1]) : found;
    }
}

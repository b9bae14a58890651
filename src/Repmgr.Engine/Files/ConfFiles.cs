using System.Text;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;

namespace Repmgr.Engine.Files;

/// <summary>Reads a configuration file and those it includes, in order, and gathers what they say and what is wrong with them.</summary>
internal sealed class ConfFiles
{
    /// <summary>So deep files may include files; PostgreSQL has the same limit. It also ends files that include themselves.</summary>
    private const int MaxDepth = 10;

    /// <summary>A longer file is no configuration file.</summary>
    private const int MaxBytes = 1 << 20;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly List<Assigned> _assignments = [];
    private readonly List<Problem> _problems = [];
    private int _files;

    public IReadOnlyList<Assigned> Assignments => _assignments;

    public IReadOnlyList<Problem> Problems => _problems;

    /// <summary>Reads the outermost file.</summary>
    public void Read(string path) => ReadFile(path, from: null, depth: 0);

    private void ReadFile(string path, ConfPlace? from, int depth)
    {
        // A file that includes itself twice would be read two to the tenth times; nobody has a thousand files.
        if (depth > MaxDepth || ++_files > 1000)
        {
            _problems.Add(new Problem(
                $"too many files are included {from}",
                $"Files may include files up to {MaxDepth} levels deep.",
                "Look for a file that includes itself."));
            return;
        }

        if (ReadText(path, from) is not { } text)
            return;

        ConfText read = ConfSyntax.Parse(text);
        _problems.AddRange(read.Errors.Select(error => new Problem($"syntax error {new ConfPlace(path, error.Line)}", Sentence(error.Message))));
        foreach (ConfEntry entry in read.Entries)
        {
            ConfPlace place = new(path, entry.Line);
            if (entry is ConfEntry.Assignment assignment)
                _assignments.Add(new Assigned(assignment.Name, assignment.Value, place, assignment.Loose));
            else if (entry is ConfEntry.Include include)
                Include(include.Kind, Path.GetFullPath(include.Path, Path.GetDirectoryName(path) ?? "/"), place, depth + 1);
        }
    }

    private void Include(IncludeKind kind, string path, ConfPlace place, int depth)
    {
        if (kind == IncludeKind.FileIfExists && !Path.Exists(path))
            return;

        if (kind != IncludeKind.Directory)
        {
            ReadFile(path, place, depth);
            return;
        }

        try
        {
            foreach (string file in Directory.GetFiles(path, "*.conf")
                .Where(file => !Path.GetFileName(file).StartsWith('.'))
                .Order(StringComparer.Ordinal))
                ReadFile(file, place, depth);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _problems.Add(new Problem($"could not read configuration directory \"{path}\"", $"{e.Message} It is included {place}."));
        }
    }

    private string? ReadText(string path, ConfPlace? from)
    {
        string included = from is null ? "" : $" It is included {from}.";
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            byte[] bytes = new byte[MaxBytes + 1];
            int length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (length <= MaxBytes)
                return StrictUtf8.GetString(bytes, 0, length);

            _problems.Add(new Problem($"configuration file \"{path}\" is too large", $"The limit is {MaxBytes} bytes.{included}"));
        }
        catch (DecoderFallbackException)
        {
            _problems.Add(new Problem($"configuration file \"{path}\" is not UTF-8 text", included.Length > 0 ? included.Trim() : null));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            _problems.Add(new Problem($"could not read configuration file \"{path}\"", e.Message + included));
        }

        return null;
    }

    private static string Sentence(string message) => string.Concat(char.ToUpperInvariant(message[0]), message.AsSpan(1).ToString(), ".");
}

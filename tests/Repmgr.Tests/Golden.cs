using System.Runtime.CompilerServices;

namespace Repmgr.Tests;

/// <summary>Text that is kept in the repository. <c>UPDATE_GOLDEN=1</c> rewrites it; git then shows what has changed.</summary>
internal static class Golden
{
    private static bool Updates => Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1";

    /// <summary>The top of the checkout.</summary>
    public static string Root { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "..", ".."));

    /// <summary>Holds the text against a file.</summary>
    /// <param name="path">From the top of the checkout.</param>
    /// <param name="text">What the file should hold.</param>
    public static void Matches(string path, string text)
    {
        string file = Path.Combine(Root, path);
        if (Updates)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
            return;
        }

        Assert.True(File.Exists(file), $"{path} is missing. Run: make docs");
        string kept = File.ReadAllText(file);
        Assert.True(kept == text, $"{path} is stale. Run: make docs, and look at what has changed.\n{FirstDifference(kept, text)}");
    }

    /// <summary>Holds the files of a directory against the names that should be there: one too many is stale as well.</summary>
    public static void HasOnly(string directory, string pattern, IEnumerable<string> names)
    {
        string[] extra = [.. Directory.EnumerateFiles(Path.Combine(Root, directory), pattern).Select(file => Path.GetFileName(file)).Except(names)];
        if (Updates)
        {
            foreach (string name in extra)
                File.Delete(Path.Combine(Root, directory, name));
            return;
        }

        Assert.True(extra.Length == 0, $"{directory} holds files that nothing generates: {string.Join(", ", extra)}. Run: make docs");
    }

    private static string Here([CallerFilePath] string path = "") => path;

    private static string FirstDifference(string kept, string text)
    {
        string[] old = kept.Split('\n');
        string[] now = text.Split('\n');
        int line = old.Zip(now).TakeWhile(pair => pair.First == pair.Second).Count();
        return $"line {line + 1}\n  kept: {old.ElementAtOrDefault(line) ?? "(end)"}\n  now:  {now.ElementAtOrDefault(line) ?? "(end)"}";
    }
}

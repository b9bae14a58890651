namespace Repmgr.Engine.Files;

/// <summary>Writing so that a crash at any moment leaves the old content or the new, never a part or nothing.</summary>
/// <remarks>The order is that of durable_rename() in src/common/file_utils.c: data, then the name.</remarks>
public static class DurableFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>
    /// Replaces the content of a file, or makes it. Written beside, flushed, renamed over the old one, directory flushed.
    /// An existing file keeps its mode and owner; a new one is readable by its owner only, and by the group where the
    /// directory lets the group in, as <c>initdb --allow-group-access</c> does.
    /// </summary>
    /// <exception cref="IOException">It could not be done; the old file is untouched.</exception>
    public static void Replace(string path, ReadOnlySpan<byte> content)
    {
        string beside = path + ".repmgr.tmp";
        File.Delete(beside);
        try
        {
            using (var stream = new FileStream(beside, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = OwnerOnly,
                BufferSize = 0,
            }))
            {
                stream.Write(content);
                TakeModeAndOwner(path, beside);
                stream.Flush(flushToDisk: true);
            }

            File.Move(beside, path, overwrite: true);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }

        FlushDirectory(DirectoryOf(path));
    }

    /// <summary>Removes a file if it is there and makes its absence durable.</summary>
    /// <returns>Whether there was one.</returns>
    public static bool Remove(string path)
    {
        if (!File.Exists(path))
            return false;

        File.Delete(path);
        FlushDirectory(DirectoryOf(path));
        return true;
    }

    /// <summary>Makes the content of a file durable.</summary>
    public static void Flush(string path)
    {
        using FileStream stream = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        stream.Flush(flushToDisk: true);
    }

    /// <summary>Makes durable what a directory lists: files created, renamed or removed in it.</summary>
    public static void FlushDirectory(string path) => NativeFile.FlushDirectory(path);

    /// <summary>Makes a whole tree durable: every regular file, then every directory. Links are not followed.</summary>
    public static void FlushTree(string root, CancellationToken cancel)
    {
        const int AtOnce = 1024;
        var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = false };
        var garbage = new GarbageLimit();
        try
        {
            // The disk gets all of it at once, and not one file after the other while each is waited for.
            foreach (string[] files in Directory.EnumerateFiles(root, "*", options).Chunk(AtOnce))
            {
                cancel.ThrowIfCancellationRequested();
                Array.ForEach(files, NativeFile.BeginToWriteOut);
                garbage.Hold();
            }

            foreach (string[] files in Directory.EnumerateFiles(root, "*", options).Chunk(AtOnce))
            {
                Parallel.ForEach(files, new ParallelOptions { CancellationToken = cancel, MaxDegreeOfParallelism = 8 }, NativeFile.Flush);
                garbage.Hold();
            }
        }
        catch (AggregateException several) when (several.InnerExceptions.OfType<IOException>().FirstOrDefault() is { } first)
        {
            throw new IOException(first.Message, several);
        }

        foreach (string directory in Directory.EnumerateDirectories(root, "*", options))
            FlushDirectory(directory);
        FlushDirectory(root);
    }

    private static void TakeModeAndOwner(string model, string path)
    {
        string directory = DirectoryOf(path);
        if (File.Exists(model))
            File.SetUnixFileMode(path, File.GetUnixFileMode(model));
        else if ((File.GetUnixFileMode(directory) & UnixFileMode.GroupRead) != 0)
            File.SetUnixFileMode(path, OwnerOnly | UnixFileMode.GroupRead);

        // Only where it differs: an ordinary user may not give files away, and need not.
        (uint user, uint group) = NativeFile.Owner(File.Exists(model) ? model : directory);
        if (NativeFile.Owner(path) != (user, group))
            NativeFile.SetOwner(path, user, group);
    }

    private static string DirectoryOf(string path) => Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";
}

namespace Repmgr.Core.Cloning.Direct;

/// <summary>A stretch of a file.</summary>
/// <param name="File">The file.</param>
/// <param name="Index">Which of the file's parts it is, from 0.</param>
/// <param name="Offset">Where it begins.</param>
/// <param name="Bytes">How much is asked for. Of the last part that is more than there was: the file may have grown.</param>
public readonly record struct FilePart(CopyFile File, int Index, long Offset, long Bytes)
{
    /// <summary>How much there was when the file was listed.</summary>
    public long Expected => Math.Min(Bytes, File.Bytes - Offset);
}

/// <summary>What one request to the source is about: a stretch of one large file, or many small files whole.</summary>
/// <param name="Parts">In the order they are asked for.</param>
public sealed record CopyRequest(IReadOnlyList<FilePart> Parts);

/// <summary>Splits files into requests of which any number can be worked on side by side.</summary>
public static class CopyParts
{
    /// <summary>What is read from the source, and written here, at once. More is slower: it no longer fits into a processor core's cache.</summary>
    public const int Chunk = 1 << 18;

    /// <summary>The longest part: a gigabyte's segment of a table keeps sixteen connections busy.</summary>
    public const long Longest = 64L << 20;

    // A round trip for each of thousands of small files would take longer than their contents.
    private const long BundleBytes = 8L << 20;
    private const int BundleFiles = 256;

    /// <summary>One request after the other, as they are asked for.</summary>
    /// <param name="files">In the order <see cref="ListedFile.LargestFirst"/>.</param>
    public static IEnumerable<CopyRequest> Split(IEnumerable<CopyFile> files)
    {
        var bundle = new List<FilePart>();
        long bundled = 0;
        foreach (CopyFile file in files)
        {
            if (file.Bytes > Chunk)
            {
                foreach (FilePart part in Of(file))
                    yield return new CopyRequest([part]);
                continue;
            }

            bundle.AddRange(Of(file));
            bundled += file.Bytes;
            if (bundled < BundleBytes && bundle.Count < BundleFiles)
                continue;
            yield return new CopyRequest(bundle);
            (bundle, bundled) = ([], 0);
        }

        if (bundle.Count > 0)
            yield return new CopyRequest(bundle);
    }

    /// <summary>How many parts a file has.</summary>
    public static int Count(CopyFile file) => (int)Math.Max(1, (file.Bytes + Longest - 1) / Longest);

    private static IEnumerable<FilePart> Of(CopyFile file)
    {
        int count = Count(file);
        for (int index = 0; index < count; index++)
        {
            long offset = index * Longest;
            bool isLast = index == count - 1;
            // To the end of a chunk: a small file that is replaced by a longer one is read whole all the same.
            yield return new FilePart(file, index, offset, isLast ? Math.Max(1, (file.Bytes - offset + Chunk - 1) / Chunk) * Chunk : Longest);
        }
    }
}

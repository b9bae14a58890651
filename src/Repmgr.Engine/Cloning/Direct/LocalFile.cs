namespace Repmgr.Engine.Cloning.Direct;

/// <summary>Reading files here that may change meanwhile.</summary>
internal static class LocalFile
{
    /// <summary>Fills a buffer, as far as the file goes.</summary>
    /// <param name="file">Null: there is none.</param>
    /// <param name="into">The buffer.</param>
    /// <param name="offset">From where on.</param>
    /// <returns>How much there was.</returns>
    public static int Read(FileStream? file, Span<byte> into, long offset)
    {
        int all = 0;
        for (int read; file is not null && all < into.Length && (read = RandomAccess.Read(file.SafeFileHandle, into[all..], offset + all)) > 0;)
            all += read;
        return all;
    }
}

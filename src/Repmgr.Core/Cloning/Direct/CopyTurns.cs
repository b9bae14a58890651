namespace Repmgr.Core.Cloning.Direct;

/// <summary>
/// Hands out the requests of a copy to those that work side by side. Each stays with the file that it is at; the others keep away
/// from it while there are files that nobody is at.
/// </summary>
/// <remarks>
/// A file system lets one writer at a time into a file (ext4 and xfs hold the inode's lock for the length of a buffered write), and
/// the others burn processor time at its door.
/// </remarks>
/// <param name="requests">In the order in which files are to be begun, those of one file next to each other. They are taken as they are needed.</param>
public sealed class CopyTurns(IEnumerable<CopyRequest> requests) : IDisposable
{
    private readonly Lock _turn = new();
    private readonly IEnumerator<CopyRequest> _untouched = requests.GetEnumerator();
    private readonly List<Queue<CopyRequest>> _begun = [];
    private CopyRequest? _ahead;

    /// <summary>What to do next; null when nothing is left. May be called by all of them at once.</summary>
    /// <param name="before">What the caller has just done; null: nothing yet.</param>
    public CopyRequest? Next(CopyRequest? before)
    {
        lock (_turn)
        {
            Queue<CopyRequest>? file = _begun.Find(begun => begun.Peek().Parts[0].File == before?.Parts[0].File);
            if (file is null && BeginFile() is { Count: > 0 } begins)
                _begun.Add(file = begins);
            file ??= _begun.MaxBy(begun => begun.Count);
            CopyRequest? next = file?.Dequeue();
            if (file is { Count: 0 })
                _begun.Remove(file);
            return next;
        }
    }

    public void Dispose() => _untouched.Dispose();

    /// <summary>The requests of the next file; none when all are begun.</summary>
    private Queue<CopyRequest> BeginFile()
    {
        var file = new Queue<CopyRequest>();
        for (_ahead ??= Take(); _ahead is { } request && (file.Count == 0 || request.Parts[0].File == file.Peek().Parts[0].File); _ahead = Take())
            file.Enqueue(request);
        return file;
    }

    private CopyRequest? Take() => _untouched.MoveNext() ? _untouched.Current : null;
}

namespace Repmgr.Engine.Cloning;

/// <summary>Tells how far a program is that does not say so itself, by the size of what it has written.</summary>
/// <param name="phase">What it does.</param>
/// <param name="directories">Where it writes.</param>
/// <param name="total">Bytes expected; null when not known.</param>
/// <param name="progress">Hears of it.</param>
/// <param name="clock">Says when to look again.</param>
internal sealed class SizeProgress(string phase, IReadOnlyList<string> directories, long? total, IProgress<CopyProgress> progress, TimeProvider clock)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);

    /// <summary>Until the program has ended.</summary>
    public async Task<T> WhileAsync<T>(Task<T> running)
    {
        do
        {
            if (CopySize.TryOf(directories) is { } size)
                progress.Report(new CopyProgress(phase, size.Bytes, total));
        }
        while (await Task.WhenAny(running, Task.Delay(LookEvery, clock, CancellationToken.None)).ConfigureAwait(false) != running);
        return await running.ConfigureAwait(false);
    }
}

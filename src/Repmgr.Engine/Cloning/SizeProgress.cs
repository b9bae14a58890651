using Repmgr.Engine.Processes;

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

    /// <summary>Until the program has ended; what it has written when it succeeded is all there was to write.</summary>
    public async Task<ProgramResult> WhileAsync(Task<ProgramResult> running)
    {
        do
        {
            if (CopySize.TryOf(directories) is { } size)
                progress.Report(new CopyProgress(phase, size.Bytes, total));
        }
        while (await Task.WhenAny(running, Task.Delay(LookEvery, clock, CancellationToken.None)).ConfigureAwait(false) != running);
        ProgramResult ended = await running.ConfigureAwait(false);
        if (ended.Succeeded && CopySize.TryOf(directories) is { } all)
            progress.Report(new CopyProgress(phase, all.Bytes, all.Bytes));
        return ended;
    }
}

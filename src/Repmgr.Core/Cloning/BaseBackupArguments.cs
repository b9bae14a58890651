namespace Repmgr.Core.Cloning;

/// <summary>The arguments of pg_basebackup besides connection, directory and tablespaces.</summary>
/// <remarks>https://www.postgresql.org/docs/current/app-pgbasebackup.html</remarks>
internal static class BaseBackupArguments
{
    /// <param name="request">What is wanted.</param>
    /// <param name="upstreamIsSource">The standby's own slot is on the source.</param>
    /// <param name="walLink">Where the old copy's <c>pg_wal</c> leads; null when it is no link.</param>
    public static IReadOnlyList<string> Of(CloneRequest request, bool upstreamIsSource, string? walLink)
    {
        var arguments = new List<string> { "--label=repmgr base backup", "--checkpoint=fast", "--no-password" };
        if (!BaseBackupWords.Has(request.BaseBackupOptions, BaseBackupWords.WalMethod))
            arguments.Add("--wal-method=stream");
        if (request.SlotName is { } slot && upstreamIsSource && !BaseBackupWords.Has(request.BaseBackupOptions, BaseBackupWords.Slot) && !BaseBackupWords.Has(request.BaseBackupOptions, BaseBackupWords.NoSlot))
            arguments.Add($"--slot={slot}");
        if (request.MaxRateKilobytes is { } rate)
            arguments.Add(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"--max-rate={rate}"));

        if (request.EarlierBackups is [.., var last])
            arguments.Add($"--incremental={last}/{BackupManifest.FileName}");

        // Of an option given twice pg_basebackup takes the last: the operator's own options win.
        arguments.AddRange(WithoutWalDirectory(request.BaseBackupOptions, walLink));
        return arguments;
    }

    // pg_basebackup wants the directory for WAL to be empty. One that the old copy's link leads to is not, and need not be named:
    // the link stays, and the new WAL moves to where it leads.
    private static IEnumerable<string> WithoutWalDirectory(IReadOnlyList<string> options, string? walLink) => BaseBackupWords.Read(options)
        .Where(option => walLink is null || option.Name != BaseBackupWords.WalDirectory || option.Value?.TrimEnd('/') != walLink.TrimEnd('/'))
        .SelectMany(option => option.Words);
}

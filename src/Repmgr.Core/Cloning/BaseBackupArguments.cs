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
        if (!Has(request, "-X", "--wal-method"))
            arguments.Add("--wal-method=stream");
        if (request.SlotName is { } slot && upstreamIsSource && !Has(request, "-S", "--slot") && !Has(request, "--no-slot", "--no-slot"))
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
    private static IEnumerable<string> WithoutWalDirectory(IReadOnlyList<string> options, string? walLink)
    {
        for (int i = 0; i < options.Count; i++)
        {
            if (walLink is not null && options[i] == "--waldir" && options.ElementAtOrDefault(i + 1)?.TrimEnd('/') == walLink.TrimEnd('/'))
                i++;
            else if (walLink is null || options[i].TrimEnd('/') != "--waldir=" + walLink.TrimEnd('/'))
                yield return options[i];
        }
    }

    private static bool Has(CloneRequest request, string letter, string name) =>
        request.BaseBackupOptions.Any(option => option.StartsWith(letter, StringComparison.Ordinal) || option.Split('=')[0] == name);
}

using System.Globalization;
using Repmgr.Core.Planning.Services;
using Repmgr.Core.Problems;

namespace Repmgr.Core.CommandLine;

/// <summary>The options given, already judged: whatever is read here has its type. What was not given is null or false.</summary>
/// <param name="given">Option to value; the value is null when none was given.</param>
/// <param name="argument">The word after the command.</param>
public sealed class CommandOptions(IReadOnlyDictionary<OptionDefinition, string?> given, string? argument = null)
{
    public static CommandOptions None { get; } = new(new Dictionary<OptionDefinition, string?>());

    /// <summary>The word after the command: the node to clone or to follow.</summary>
    public string? Argument { get; } = argument;

    public string? ConfigFile => Text(Opt.ConfigFile);
    public string? PgBindir => Text(Opt.PgBindir);
    public Severity? LogLevel => Text(Opt.LogLevel) is { } level ? Enum.Parse<Severity>(level, ignoreCase: true) : null;
    public bool LogToFile => Has(Opt.LogToFile);
    public bool Quiet => Has(Opt.Quiet);
    public bool Terse => Has(Opt.Terse);
    public bool Verbose => Has(Opt.Verbose);

    public bool DryRun => Has(Opt.DryRun) || Has(Opt.CheckUpstreamConfig);
    public bool Force => Has(Opt.Force);
    public bool Json => Has(Opt.Json);
    public bool Csv => Has(Opt.Csv);
    public bool Compact => Has(Opt.Compact);
    public bool Detail => Has(Opt.Detail);
    public string? Superuser => Text(Opt.Superuser);
    public int? NodeId => Number(Opt.NodeId);
    public string? NodeName => Text(Opt.NodeName);
    public int? UpstreamNodeId => Number(Opt.UpstreamNodeId);

    /// <summary>Wait at all; for how long is in <see cref="WaitWithin"/>.</summary>
    public bool Wait => Has(Opt.Wait);

    /// <summary>Null: not given, or given without a time.</summary>
    public TimeSpan? WaitWithin => Seconds(Opt.Wait);

    /// <summary>A name, a conninfo string or a URI, as psql's.</summary>
    public string? Dbname => Text(Opt.Dbname);

    /// <summary>From <c>-h</c>. The host that may follow <c>standby clone</c> is <see cref="Argument"/>.</summary>
    public string? Host => Text(Opt.Host);

    public int? Port => Number(Opt.Port);
    public string? Username => Text(Opt.Username);

    public string? Pgdata => Text(Opt.Pgdata);

    /// <summary><c>direct</c>, <c>basebackup</c>, <c>rsync</c> or <c>command</c>; null when not given.</summary>
    public string? Method => Text(Opt.Method)?.ToLowerInvariant();

    /// <summary>The method that holds, given or not: <c>-R</c> and <c>-I</c> alone are the original's invocation, which meant rsync.</summary>
    public string CloneMethod => Method ?? (!CopyExternalConfigFiles && (RemoteUser is not null || IgnoreRsyncWarning) ? "rsync" : Has(Opt.IncrementalFrom) ? "basebackup" : "direct");

    public string? RemoteUser => Text(Opt.RemoteUser);
    public int? WalKeepSegments => Number(Opt.WalKeepSegments);
    public bool IgnoreRsyncWarning => Has(Opt.IgnoreRsyncWarning);
    public bool FastCheckpoint => Has(Opt.FastCheckpoint);
    public bool CopyExternalConfigFiles => Has(Opt.CopyExternalConfigFiles);

    /// <summary>External configuration files go into the data directory instead of to the path they have on the source.</summary>
    public bool ExternalConfigFilesIntoPgdata => "pgdata".Equals(Text(Opt.CopyExternalConfigFiles), StringComparison.OrdinalIgnoreCase);

    public bool NoUpstreamConnection => Has(Opt.NoUpstreamConnection);
    public string? ReplicationUser => Text(Opt.ReplicationUser);
    public string? UpstreamConninfo => Text(Opt.UpstreamConninfo);
    public bool ReplicationConfOnly => Has(Opt.ReplicationConfOnly);
    public bool VerifyBackup => Has(Opt.VerifyBackup);
    /// <summary><c>text</c> or <c>json</c>; null when not given.</summary>
    public string? Progress => Text(Opt.Progress)?.ToLowerInvariant();

    public bool Start => Has(Opt.Start);
    public bool NoVerifyChecksums => Has(Opt.NoVerifyChecksums);
    public string? WalDirectory => Text(Opt.WalDirectory);

    /// <summary>Directories of earlier backups, the full one first.</summary>
    public IReadOnlyList<string> IncrementalFrom => Text(Opt.IncrementalFrom) is { } text
        ? [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(path => path.Length > 1 ? path.TrimEnd('/') : path)]
        : [];

    public TimeSpan? RecoveryMinApplyDelay => Text(Opt.RecoveryMinApplyDelay) is { } text ? OptionValue.Duration.ToTimeSpan(text) : null;

    /// <summary>Bytes per second.</summary>
    public long? MaxRate => Text(Opt.MaxRate) is { } text ? OptionValue.Rate.BytesPerSecond(text) : null;

    public int? Jobs => Number(Opt.Jobs);

    public TimeSpan? WaitReplay => Seconds(Opt.WaitReplay);

    public bool IsShutdownCleanly => Has(Opt.IsShutdownCleanly);
    public bool Nagios => Has(Opt.Nagios);

    /// <summary>The one thing that <c>node check</c> is to check; null: all.</summary>
    public Checks.Nodes.CheckItem? CheckItem => NodeCommands.CheckOptions.FirstOrDefault(choice => Has(choice.Option)).Item;

    /// <summary>Null: none is named.</summary>
    public ServiceAction? ServiceAction => Text(Opt.Action) is { } action ? Enum.Parse<ServiceAction>(action, ignoreCase: true) : null;

    public bool ListActions => Has(Opt.ListActions);
    public bool Checkpoint => Has(Opt.Checkpoint);
    public bool DisableWalReceiver => Has(Opt.DisableWalReceiver);
    public bool EnableWalReceiver => Has(Opt.EnableWalReceiver);

    /// <summary>The name of the cluster, which confirms it.</summary>
    public string? WithoutMajority => Text(Opt.WithoutMajority);

    public bool SiblingsFollow => Has(Opt.SiblingsFollow);

    /// <summary>When it is to be done; null: at once.</summary>
    public DateTimeOffset? At(DateTimeOffset now, TimeZoneInfo local) => Text(Opt.At) is { } moment ? OptionValue.Moment.ToInstant(moment, now, local) : null;

    public TimeSpan? WaitStart => Seconds(Opt.WaitStart);
    public bool WaitSync => Has(Opt.WaitSync);

    /// <summary>Null: not given, or without a limit.</summary>
    public TimeSpan? WaitSyncWithin => Seconds(Opt.WaitSync) is { } within && within > TimeSpan.Zero ? within : null;

    public int? Limit => Number(Opt.Limit);
    public bool All => Has(Opt.All);
    public string? Event => Text(Opt.Event);
    public int? KeepHistory => Number(Opt.KeepHistory);

    public TimeSpan? PauseFor => Text(Opt.For) is { } length ? OptionValue.Duration.ToTimeSpan(length) : null;
    public bool HolderIsDown => Has(Opt.HolderIsDown);
    /// <summary><c>off</c>, <c>quorum</c> or <c>strict</c>; null when not given.</summary>
    public string? Synchronous => Text(Opt.Synchronous)?.ToLowerInvariant();

    public int? SynchronousNodeCount => Number(Opt.SynchronousNodeCount);
    public TimeSpan? LeaseTtl => Text(Opt.LeaseTtl) is { } length ? OptionValue.Duration.ToTimeSpan(length) : null;
    public TimeSpan? AgentRestartGrace => Text(Opt.AgentRestartGrace) is { } length ? OptionValue.Duration.ToTimeSpan(length) : null;
    public bool NoWait => Has(Opt.NoWait);

    // repmgrd
    public bool Daemonize => Has(DaemonOpt.Daemonize) && Text(DaemonOpt.Daemonize)?.ToLowerInvariant() is null or "true" or "on" or "yes" or "1";
    public string? PidFile => Text(DaemonOpt.PidFile);
    public bool NoPidFile => Has(DaemonOpt.NoPidFile);
    public bool ShowPidFile => Has(DaemonOpt.ShowPidFile);
    public bool MonitoringHistory => Has(DaemonOpt.MonitoringHistory);

    /// <summary>Whether the option was given, with or without a value.</summary>
    public bool Has(OptionDefinition option) => given.ContainsKey(option);

    /// <summary>The options given, in the order of the command line.</summary>
    public IEnumerable<OptionDefinition> Given => given.Keys;

    /// <summary>What to tell about options that are accepted only for the sake of old scripts.</summary>
    public IEnumerable<Problem> Notices =>
        Given.Where(option => option.Deprecated is not null).Select(option => new Problem($"option {option.Display} is out of use: {option.Deprecated}"));

    private string? Text(OptionDefinition option) => given.TryGetValue(option, out string? value) ? value : null;

    private int? Number(OptionDefinition option) =>
        Text(option) is { } value ? int.Parse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) : null;

    private TimeSpan? Seconds(OptionDefinition option) => Number(option) is { } seconds ? TimeSpan.FromSeconds(seconds) : null;
}

using System.Globalization;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Cloning;

/// <summary>The questions asked of this host before anything is touched.</summary>
internal static class TargetChecks
{
    public static IEnumerable<Objection> Of(CloneRequest request, CloneSource source, CloneTarget target, CloneTools tools) =>
    [
        .. Directory(request, source, target),
        .. Tablespaces(target),
        .. Space(source, target),
        .. Programs(request, source, tools),
        .. Remote(request, tools),
        .. Configuration(request, source, target),
        .. Options(request),
        .. IncrementalChecks.Of(request, source, target, tools),
    ];

    /// <summary>Where only the replication settings are written, a whole copy must be here, and at rest.</summary>
    public static IEnumerable<Objection> OfConfiguration(CloneRequest request, CloneSource source, CloneTarget target)
    {
        if (target.Content is TargetContent.Cluster { RunningPid: not null } && request.Force && Content(request, source, target with { Content = Stopped(target.Content) }) is null)
            yield break;
        if (target.Content is TargetContent.Absent or TargetContent.Empty or TargetContent.Unfinished)
        {
            yield return new(new Problem(
                $"there is no whole cluster in \"{target.Directory}\"",
                Hint: "Put a copy of the source there first, or leave --replication-conf-only out to have repmgr copy it."));
        }

        foreach (Objection objection in Directory(request with { Force = true }, source, target))
            yield return objection;
    }

    private static TargetContent Stopped(TargetContent content) =>
        content is TargetContent.Cluster cluster ? cluster with { RunningPid = null } : content;

    private static IEnumerable<Objection> Directory(CloneRequest request, CloneSource source, CloneTarget target)
    {
        if (target.Unwritable is { } reason)
        {
            yield return new(new Problem(
                $"this user cannot write to \"{target.Directory}\"",
                $"{reason}.",
                "Run repmgr as the operating-system user that PostgreSQL runs as here, or give that user the directory."));
        }

        if (target.Inside is { } outer)
        {
            yield return new(new Problem(
                $"\"{target.Directory}\" lies inside the data directory \"{outer}\" of another cluster",
                Hint: "Name a directory outside of it with -D."));
        }

        if (Content(request, source, target) is { } problem)
            yield return new(problem);
        if (target.IsWalDirectoryInUse && request.Method == CloneMethod.Direct)
        {
            yield return new(new Problem(
                $"the directory for WAL \"{request.WalDirectory}\" is not empty",
                Hint: "Name an empty one with --waldir, or empty it by hand."));
        }
    }

    private static Problem? Content(CloneRequest request, CloneSource source, CloneTarget target) => target.Content switch
    {
        TargetContent.Unreadable unreadable => new Problem(
            $"\"{target.Directory}\" cannot be looked into", $"{unreadable.Reason}.", "Run repmgr as the user who owns it."),
        TargetContent.Foreign foreign => new Problem(
            $"\"{target.Directory}\" is not empty and holds no PostgreSQL cluster",
            $"It contains {string.Join(", ", foreign.Sample.Select(name => $"\"{name}\""))}.",
            "Name another directory with -D, or empty this one by hand: repmgr does not delete what is not a cluster."),
        TargetContent.Unfinished { InProgress: true } => new Problem(
            $"another repmgr is cloning into \"{target.Directory}\"", Hint: "Wait for it to end."),
        TargetContent.Unfinished { Marker: var clone } when clone.SystemIdentifier != source.SystemIdentifier => new Problem(
            $"\"{target.Directory}\" holds an unfinished clone of another cluster",
            $"Its system identifier is {clone.SystemIdentifier}, the source's is {source.SystemIdentifier}.",
            "Name another directory with -D, or empty this one by hand."),
        TargetContent.Cluster { RunningPid: { } pid } => new Problem(
            $"a PostgreSQL server runs in \"{target.Directory}\"",
            string.Create(CultureInfo.InvariantCulture, $"Its process ID is {pid}."),
            "Stop it first; --force does not stop a running server."),
        TargetContent.Cluster cluster when cluster.Major != source.Version.Major => new Problem(
            $"\"{target.Directory}\" holds a cluster of PostgreSQL {cluster.Major}",
            $"The source runs PostgreSQL {source.Version}.",
            "Name another directory with -D, or empty this one by hand; --force replaces only a cluster of the same major version."),
        TargetContent.Cluster { SystemIdentifier: null } => new Problem(
            $"the cluster in \"{target.Directory}\" cannot be identified",
            "Its control file global/pg_control is missing or damaged, and no clone by repmgr was begun there.",
            "Name another directory with -D, or empty this one by hand when nothing in it is needed."),
        TargetContent.Cluster cluster when cluster.SystemIdentifier != source.SystemIdentifier => new Problem(
            $"\"{target.Directory}\" holds another cluster",
            $"Its system identifier is {cluster.SystemIdentifier}, the source's is {source.SystemIdentifier}.",
            "Name another directory with -D, or empty this one by hand; --force replaces only an older copy of the source."),
        TargetContent.Cluster when !request.Force => new Problem(
            $"\"{target.Directory}\" holds a copy of this cluster already",
            Hint: "Use -F/--force to bring it up to date from the source; what it holds beyond the source is lost."),
        _ => null,
    };

    private static IEnumerable<Objection> Tablespaces(CloneTarget target)
    {
        foreach (TargetTablespace space in target.Tablespaces)
        {
            if (space.Unwritable is { } reason)
            {
                yield return new(new Problem(
                    $"this user cannot write to the tablespace directory \"{space.Room.Path}\"",
                    $"{reason}.",
                    "Create it for the PostgreSQL user, or map the tablespace with tablespace_mapping = 'OLD=NEW' in repmgr.conf."));
            }
            else if (space.InUse)
            {
                yield return new(new Problem(
                    $"the tablespace directory \"{space.Room.Path}\" is in use",
                    "It holds files of a cluster of this version that are not part of the target: perhaps the source's own.",
                    $"Map tablespace {space.Oid} to another directory with tablespace_mapping = 'OLD=NEW' in repmgr.conf, or empty this one by hand."));
            }
        }
    }

    private static IEnumerable<Objection> Space(CloneSource source, CloneTarget target)
    {
        foreach (SpaceNeed need in SpaceNeed.Of(source, target).Where(need => need.Bytes > need.Free + need.Held))
        {
            string held = need.Held > 0 ? $", and {Size(need.Held)} can be reused" : "";
            yield return new(new Problem(
                $"not enough disk space under \"{need.Mount}\"",
                $"{Size(need.Bytes)} are needed for {string.Join(", ", need.Paths.Select(path => $"\"{path}\""))}; {Size(need.Free)} are free{held}.",
                "Free some space, name another directory with -D, or map tablespaces to other disks with tablespace_mapping."));
        }
    }

    private static IEnumerable<Objection> Programs(CloneRequest request, CloneSource source, CloneTools tools)
    {
        const string bindir = "Install PostgreSQL's programs of that version here, or say where they are with pg_bindir (-b).";
        if (request.Method == CloneMethod.BaseBackup && tools.BaseBackup is null)
        {
            yield return new(new Problem("pg_basebackup was not found", $"Looked in {tools.BinDirectory ?? "the usual places and PATH"}.", bindir));
        }
        else if (request.Method == CloneMethod.BaseBackup && tools.BaseBackup is { } version && version.Major != source.Version.Major)
        {
            yield return new(new Problem(
                "pg_basebackup is of another major version than the source",
                $"It is {version.Major}, the source runs {source.Version}.",
                bindir));
        }
        else if (tools.Server is { } server && server.Major != source.Version.Major)
        {
            yield return new(new Problem(
                "the PostgreSQL programs here are of another major version than the source",
                $"They are {server.Major}, the source runs {source.Version}: a server of {server.Major} cannot start on a copy of it.",
                bindir));
        }

        if (request.VerifyBackup && request.Method is CloneMethod.BaseBackup or CloneMethod.Direct && !tools.VerifyBackup)
            yield return new(new Problem("pg_verifybackup was not found", Hint: bindir));
        if (request.Method == CloneMethod.Rsync && tools.Rsync is null)
            yield return new(new Problem("rsync was not found on this host", Hint: "Install rsync, or clone with --method=direct, which needs neither rsync nor ssh."), ExitCode.BadRsync);
        if (request.Method == CloneMethod.Rsync && tools.Rsync is { } rsync && rsync < OldestRsync)
            yield return new(new Problem($"rsync {rsync} is too old", Hint: $"Install rsync {OldestRsync} or later, or clone with --method=direct."), ExitCode.BadRsync);
    }

    private static IEnumerable<Objection> Remote(CloneRequest request, CloneTools tools)
    {
        if (request.Method != CloneMethod.Rsync)
            yield break;
        switch (tools.Remote)
        {
            case RemoteView.Unreachable unreachable:
                yield return new(new Problem(
                    $"\"{request.SshHost}\" cannot be reached with ssh",
                    $"{unreachable.Command} said: {unreachable.Reason.TrimEnd('.')}.",
                    "Let this user log in there with a key and without a question (ssh-copy-id), name the remote user with -R, or clone with --method=direct, which needs no ssh."), ExitCode.BadSsh);
                break;
            case RemoteView.NoRsync missing:
                yield return new(new Problem(
                    $"rsync was not found on \"{request.SshHost}\"",
                    $"{missing.Reason.TrimEnd('.')}.",
                    "Install rsync there, or clone with --method=direct."), ExitCode.BadRsync);
                break;
            case RemoteView.NoData noData:
                yield return new(new Problem(
                    $"the source's data directory cannot be read on \"{request.SshHost}\"",
                    $"{noData.Reason.TrimEnd('.')}.",
                    "Name with -R the operating-system user that PostgreSQL runs as there, and check that ssh and the database connection lead to the same host."), ExitCode.BadSsh);
                break;
        }
    }

    // A hot standby stops (or pauses) when its primary has more of these than it can hold.
    // https://www.postgresql.org/docs/current/hot-standby.html#HOT-STANDBY-ADMIN
    private static IEnumerable<Objection> Configuration(CloneRequest request, CloneSource source, CloneTarget target)
    {
        if (target.Configuration is not { } own || request.ExternalConfig == ExternalConfigCopy.SamePath)
            yield break;
        foreach ((string name, int needed) in source.StandbyMinimums.OrderBy(setting => setting.Key, StringComparer.Ordinal))
        {
            if (own.Settings.TryGetValue(name, out int here) && here < needed)
            {
                yield return new(new Problem(
                    $"\"{name}\" is lower here than on the source",
                    string.Create(CultureInfo.InvariantCulture, $"\"{own.Directory}\" gives {here}, the source has {needed}: the standby would not start."),
                    string.Create(CultureInfo.InvariantCulture, $"Set {name} = {needed} or more in \"{own.Directory}/postgresql.conf\".")));
            }
        }
    }

    private static IEnumerable<Objection> Options(CloneRequest request)
    {
        if (request is { Method: CloneMethod.Command, Command: null })
        {
            yield return new(new Problem(
                "\"clone_command\" is not set",
                "Method command runs it to put a copy of the source's cluster into the data directory.",
                "Set clone_command in repmgr.conf (docs/cloning.md has recipes for pgBackRest, Barman and WAL-G), or leave --method=command out."));
        }

        if (request.Method == CloneMethod.Rsync && request.VerifyBackup)
        {
            yield return new(new Problem(
                "--verify-backup does not go with --method=rsync",
                "pg_verifybackup compares with a backup manifest, which a copy by rsync does not have.",
                "Leave the option out, or choose --method=direct."));
        }

        foreach (string option in request.RsyncOptions.Where(option => ForbiddenRsyncOptions.Contains(option.Split('=')[0])))
        {
            yield return new(new Problem(
                $"rsync_options must not contain \"{option}\"",
                "The copy would silently differ from the source.",
                "Remove it from rsync_options."));
        }
    }

    /// <summary>The first with <c>--info=progress2</c>.</summary>
    private static readonly Version OldestRsync = new(3, 1, 0);

    private static readonly string[] ForbiddenRsyncOptions =
    [
        "--size-only", "-u", "--update", "--existing", "--ignore-existing", "--ignore-non-existing", "--remove-source-files",
        "-n", "--dry-run", "--max-size", "--min-size", "--append", "--backup", "-b", "--suffix", "--backup-dir", "--only-write-batch",
        "--list-only", "--delete-excluded", "--no-links", "--no-l", "--no-r", "--no-recursive", "-L", "--copy-links", "--chmod", "-m", "--prune-empty-dirs",
    ];

    internal static string Size(long bytes) => bytes switch
    {
        >= 10L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes >> 30} GB"),
        >= 10L << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes >> 20} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(bytes + 1023) >> 10} kB"),
    };
}

/// <summary>What one file system must take.</summary>
/// <param name="Mount">Its mount point.</param>
/// <param name="Bytes">Needed there.</param>
/// <param name="Free">Free there.</param>
/// <param name="Held">Held there by what the clone replaces.</param>
/// <param name="Paths">The directories on it.</param>
internal sealed record SpaceNeed(string Mount, long Bytes, long Free, long Held, IReadOnlyList<string> Paths)
{
    // WAL that comes along, and slack for what is written while the files are copied.
    private const long Slack = 64L << 20;

    public static IReadOnlyList<SpaceNeed> Of(CloneSource source, CloneTarget target)
    {
        List<(TargetRoom Room, long Bytes)> needs = [(target.Main, (source.MainBytes ?? 0) + Slack)];
        foreach (TargetTablespace space in target.Tablespaces)
            needs.Add((space.Room, source.Tablespaces.FirstOrDefault(view => view.Oid == space.Oid)?.Bytes ?? 0));
        return
        [
            .. needs.GroupBy(need => need.Room.Mount).Select(mount => new SpaceNeed(
                mount.Key,
                mount.Sum(need => need.Bytes),
                mount.Min(need => need.Room.FreeBytes),
                mount.Sum(need => need.Room.HeldBytes),
                [.. mount.Select(need => need.Room.Path)])),
        ];
    }
}

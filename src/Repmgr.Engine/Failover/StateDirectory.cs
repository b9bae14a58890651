using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Problems;
using Repmgr.Engine.Daemon;
using Repmgr.Engine.Files;

namespace Repmgr.Engine.Failover;

/// <summary>
/// What an agent must not forget, on disk (R1): who it is, what it promised and voted, and the cluster's secret. One agent holds it at a
/// time. It lies outside the data directory and belongs in no backup: an agent that remembers an old state would vote twice.
/// </summary>
internal sealed class StateDirectory : IDisposable
{
    private const string StateName = "agent.json";
    private const string SecretName = "cluster_secret";

    private readonly SafeFileHandle _lock;
    private readonly Lock _changing = new();

    private StateDirectory(string path, SafeFileHandle held, AgentFile content)
    {
        Path = path;
        _lock = held;
        Content = content;
    }

    public string Path { get; }

    public AgentFile Content { get; private set; }

    public string DivergedWal => System.IO.Path.Combine(Path, "diverged");

    private string StateFile => System.IO.Path.Combine(Path, StateName);

    private string SecretFile => System.IO.Path.Combine(Path, SecretName);

    /// <summary>How a node and its agent are reached; null: that is not known.</summary>
    public KnownNode? Known(NodeId id) => Content.Nodes.FirstOrDefault(known => known.Id == id);

    /// <summary>Beside the data directory, where the server's user can usually write.</summary>
    public static string DefaultFor(string dataDirectory) => System.IO.Path.TrimEndingDirectorySeparator(dataDirectory) + ".repmgr";

    /// <summary>A witness has no data directory: below the home directory of the user that it runs as.</summary>
    public static string DefaultForWitness(NodeId self) => System.IO.Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), string.Create(System.Globalization.CultureInfo.InvariantCulture, $".repmgr-witness{self}"));

    /// <summary>Reads what an agent has left, without taking the directory; null: nothing that can be read.</summary>
    public static AgentFile? Peek(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(System.IO.Path.Combine(path, StateName)), AgentJson.Default.AgentFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Takes the directory, making it where there is none.</summary>
    /// <param name="path">Which.</param>
    /// <param name="dataDirectory">What it must not lie in; null on a witness.</param>
    /// <param name="self">Whose it is.</param>
    public static (StateDirectory? Directory, Problem? Problem) Open(string path, string? dataDirectory, NodeId self)
    {
        string full = System.IO.Path.GetFullPath(path);
        if (dataDirectory is not null && IsWithin(full, dataDirectory))
        {
            return (null, new Problem(
                $"state_directory \"{full}\" lies inside the data directory",
                "A copy of the data directory would carry this node's votes to another node, and a node that is made anew would forget them.",
                "Name a directory elsewhere with state_directory."));
        }

        try
        {
            Directory.CreateDirectory(full, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            DurableFile.FlushDirectory(System.IO.Path.GetDirectoryName(full) ?? "/");
            SafeFileHandle held = Native.OpenFile(System.IO.Path.Combine(full, "lock"), Native.ReadWrite | Native.Create | Native.NoFollow, 0x180);
            if (!Native.TryLock(held))
            {
                held.Dispose();
                return (null, new Problem($"another repmgrd holds state_directory \"{full}\"", Hint: "Stop it first. Each node needs a directory of its own."));
            }

            return Read(full, held, self);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (null, new Problem(
                $"state_directory \"{full}\" cannot be used", e.Message, "Make it for the user that repmgrd runs as, or name another with state_directory."));
        }
    }

    /// <summary>Brings a change to disk; returns when it is there.</summary>
    /// <exception cref="IOException">It is not there; what was there before still is.</exception>
    public void Change(Func<AgentFile, AgentFile> change)
    {
        lock (_changing)
        {
            AgentFile content = Dated(change(Content));
            DurableFile.Replace(StateFile, JsonSerializer.SerializeToUtf8Bytes(content, AgentJson.Default.AgentFile));
            Content = content;
        }
    }

    /// <summary>Notes when the newest term was heard of, and forgets those that are in the history no more.</summary>
    private static AgentFile Dated(AgentFile content)
    {
        if (content.Durable?.Announced is not { } history || content.Began?.Any(began => began.Term == history.Newest.Term) == true)
            return content;
        IEnumerable<TermBegan> before = content.Began?.Where(began => history.Lines.Any(line => line.Term == began.Term)) ?? [];
        return content with { Began = [.. before, new TermBegan(history.Newest.Term, TimeProvider.System.GetUtcNow())] };
    }

    /// <summary>The cluster's secret as it was last known; null before it was.</summary>
    public byte[]? Secret() => File.Exists(SecretFile) ? Convert.FromHexString(File.ReadAllText(SecretFile).Trim()) : null;

    public void KeepSecret(byte[] secret)
    {
        if (Secret()?.AsSpan().SequenceEqual(secret) != true)
            DurableFile.Replace(SecretFile, System.Text.Encoding.ASCII.GetBytes(Convert.ToHexString(secret) + "\n"));
    }

    /// <summary>The secret and the nodes as an agent has left them there; null: it has not, or they cannot be read. Takes no lock.</summary>
    public static (byte[] Secret, IReadOnlyList<KnownNode> Nodes)? Contacts(string path)
    {
        try
        {
            AgentFile? content = JsonSerializer.Deserialize(File.ReadAllBytes(System.IO.Path.Combine(path, StateName)), AgentJson.Default.AgentFile);
            return content is { Nodes.Count: > 0 }
                ? (Convert.FromHexString(File.ReadAllText(System.IO.Path.Combine(path, SecretName)).Trim()), content.Nodes)
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or FormatException)
        {
            return null;
        }
    }

    public void Dispose() => _lock.Dispose();

    private static (StateDirectory? Directory, Problem? Problem) Read(string path, SafeFileHandle held, NodeId self)
    {
        string file = System.IO.Path.Combine(path, StateName);
        if (!File.Exists(file))
        {
            var fresh = new StateDirectory(path, held, new AgentFile(AgentFile.Current, New(self), [], null));
            fresh.Change(content => content);
            return (fresh, null);
        }

        AgentFile? content = null;
        string? why = null;
        try
        {
            content = JsonSerializer.Deserialize(File.ReadAllBytes(file), AgentJson.Default.AgentFile);
            why = content is null ? "It is empty."
                : content.Version > AgentFile.Current ? $"It has version {content.Version}, and this program knows version {AgentFile.Current}."
                : content.Voter.Node != self ? $"It belongs to node {content.Voter.Node}; this is node {self}."
                : null;
        }
        catch (JsonException damaged)
        {
            why = damaged.Message;
        }

        if (why is null)
            return (new StateDirectory(path, held, content!), null);
        held.Dispose();
        return (null, new Problem(
            $"\"{file}\" cannot be used", why,
            "A node that has forgotten what it voted is no voter until it is admitted anew: do that by moving the directory away, if nothing else helps."));
    }

    private static VoterId New(NodeId self) => new(self, BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))));

    private static bool IsWithin(string path, string directory)
    {
        string inside = System.IO.Path.GetRelativePath(directory, path);
        return inside == "." || !(inside.StartsWith("..", StringComparison.Ordinal) || System.IO.Path.IsPathRooted(inside));
    }
}

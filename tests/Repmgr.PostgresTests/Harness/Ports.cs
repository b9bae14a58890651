using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Repmgr.PostgresTests.Harness;

/// <summary>
/// Hands out TCP ports that nobody else gets: below the range the kernel gives to clients, and each held by a lock on a file
/// that every run of the suite on this machine honours, for as long as the port is in use.
/// </summary>
internal sealed class Ports : IDisposable
{
    private const int First = 20000, Last = 29999;
    private static readonly string LockDirectory = MakeLockDirectory();
    private static int _next = Random.Shared.Next(First, Last);

    private readonly List<FileStream> _held = [];

    public int Take()
    {
        for (int tries = 0; tries <= Last - First; tries++)
        {
            int port = First + (Interlocked.Increment(ref _next) % (Last - First + 1));
            if (TryHold(port) is not { } held)
                continue;
            if (IsFree(port))
            {
                _held.Add(held);
                return port;
            }

            held.Dispose();
        }

        throw new InvalidOperationException($"No free port from {First} to {Last}.");
    }

    public void Dispose()
    {
        foreach (var held in _held)
            held.Dispose();
    }

    private static FileStream? TryHold(int port)
    {
        try
        {
            string path = Path.Combine(LockDirectory, port.ToString(CultureInfo.InvariantCulture));
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Any, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static string MakeLockDirectory() =>
        Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), $"repmgr-ports-{Environment.UserName}")).FullName;
}

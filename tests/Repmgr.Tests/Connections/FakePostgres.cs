using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Repmgr.Tests.Connections;

/// <summary>
/// Speaks just enough of PostgreSQL's protocol to be connected to and to run statements without a result, and does it badly:
/// it dawdles, falls silent or hangs up at any point, as its random numbers will have it. Who cancels makes it hang up.
/// </summary>
/// <remarks>https://www.postgresql.org/docs/current/protocol-flow.html</remarks>
internal sealed class FakePostgres : IDisposable
{
    private const int SslRequest = 80877103;
    private const int CancelRequest = 80877102;
    private const int Secret = 4711;

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stop = new();
    private readonly Random _random;
    private readonly ConcurrentDictionary<int, Socket> _sessions = [];
    private int _open;
    private int _cancels;
    private int _accepted;

    public FakePostgres(int seed)
    {
        _random = new Random(seed);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(512);
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>How many connections the other side has not closed.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>How often it was asked to cancel something.</summary>
    public int Cancels => Volatile.Read(ref _cancels);

    /// <summary>Of a hundred times, how often it falls silent or hangs up where it should answer.</summary>
    public int Trouble { get; set; }

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                Socket socket = await _listener.AcceptAsync(_stop.Token);
                Interlocked.Increment(ref _open);
                _ = ServeAsync(socket, ++_accepted);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket socket, int number)
    {
        using (socket)
        {
            _sessions[number] = socket;
            try
            {
                await using var stream = new NetworkStream(socket);
                if (await GreetAsync(stream, number))
                    await AnswerAsync(stream);
                // Whatever comes now has no answer any more; only that the other side hangs up is waited for.
                await stream.CopyToAsync(Stream.Null, _stop.Token);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException or HangsUpException)
            {
                // It is over.
            }

            _sessions.TryRemove(number, out _);
        }

        Interlocked.Decrement(ref _open);
    }

    /// <summary>Lets a client in; false when there is nothing more to say to it.</summary>
    private async Task<bool> GreetAsync(NetworkStream stream, int number)
    {
        while (true)
        {
            byte[] startup = await ReadAsync(stream, BinaryPrimitives.ReadInt32BigEndian(await ReadAsync(stream, 4)) - 4);
            switch (BinaryPrimitives.ReadInt32BigEndian(startup))
            {
                case SslRequest when await SendAsync(stream, [(byte)'N']):
                    continue;
                case SslRequest:
                    return false;
                case CancelRequest:
                    await CancelAsync(stream, startup);
                    return false;
                default:
                    return await SendAsync(stream, Message('R', 0, 0, 0, 0))
                        && await SendAsync(stream, Message('S', [.. "server_version\0"u8, .. "18.0\0"u8]))
                        && await SendAsync(stream, Message('K', [.. Number(number), .. Number(Secret)]))
                        && await SendAsync(stream, Message('Z', (byte)'I'));
            }
        }
    }

    private async Task CancelAsync(NetworkStream stream, byte[] request)
    {
        Assert.Equal(Secret, BinaryPrimitives.ReadInt32BigEndian(request.AsSpan(8)));
        Interlocked.Increment(ref _cancels);
        if (!await SendAsync(stream, []))
            return;
        if (_sessions.TryGetValue(BinaryPrimitives.ReadInt32BigEndian(request.AsSpan(4)), out Socket? session))
            session.Dispose();
        throw new HangsUpException();
    }

    /// <summary>Every batch ends with Sync; the answers to statements without parameters and result are always the same.</summary>
    private async Task AnswerAsync(NetworkStream stream)
    {
        while (true)
        {
            byte kind = (await ReadAsync(stream, 1))[0];
            await ReadAsync(stream, BinaryPrimitives.ReadInt32BigEndian(await ReadAsync(stream, 4)) - 4);
            if (kind == 'X')
                throw new HangsUpException();
            if (kind != 'S')
                continue;
            bool answered = await SendAsync(stream, Message('1'))
                && await SendAsync(stream, [.. Message('2'), .. Message('n')])
                && await SendAsync(stream, [.. Message('C', "SELECT 0\0"u8), .. Message('Z', (byte)'I')]);
            if (!answered)
                return;
        }
    }

    /// <summary>False when it is not sent: from now on there is silence.</summary>
    private async Task<bool> SendAsync(NetworkStream stream, byte[] message)
    {
        (int luck, int pause) = (Roll(100), Roll(4));
        if (luck < Trouble / 2)
            throw new HangsUpException();
        if (luck < Trouble)
            return false;
        if (pause > 1)
            await Task.Delay(pause - 1, _stop.Token);
        await stream.WriteAsync(message, _stop.Token);
        return true;
    }

    private int Roll(int below)
    {
        lock (_random)
            return _random.Next(below);
    }

    private async Task<byte[]> ReadAsync(NetworkStream stream, int count)
    {
        byte[] bytes = new byte[count];
        await stream.ReadExactlyAsync(bytes, _stop.Token);
        return bytes;
    }

    private static byte[] Number(int number)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        return bytes;
    }

    private static byte[] Message(char kind, params ReadOnlySpan<byte> body)
    {
        byte[] message = new byte[5 + body.Length];
        message[0] = (byte)kind;
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), 4 + body.Length);
        body.CopyTo(message.AsSpan(5));
        return message;
    }

    private sealed class HangsUpException : Exception;
}

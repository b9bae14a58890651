using System.Runtime.InteropServices;
using System.Threading.Channels;

namespace Repmgr.Engine.Daemon;

/// <summary>What reaches the loop from outside.</summary>
public enum Message
{
    /// <summary>SIGHUP: read the configuration again and reopen the log.</summary>
    Reload,

    /// <summary>SIGTERM or SIGINT: end.</summary>
    Stop,
}

/// <summary>Takes signals from the moment it is made, before there is a loop to hear of them.</summary>
public sealed class Mailbox : IDisposable
{
    private readonly Channel<Message> _messages = Channel.CreateUnbounded<Message>();
    private readonly PosixSignalRegistration[] _signals;

    public Mailbox() => _signals =
    [
        On(PosixSignal.SIGTERM, Native.SigTerm, Message.Stop),
        On(PosixSignal.SIGINT, Native.SigInt, Message.Stop),
        On(PosixSignal.SIGHUP, Native.SigHup, Message.Reload),
    ];

    public ChannelReader<Message> Messages => _messages.Reader;

    public void Dispose()
    {
        foreach (PosixSignalRegistration signal in _signals)
            signal.Dispose();
    }

    private PosixSignalRegistration On(PosixSignal signal, int number, Message message)
    {
        Native.DoNotIgnore(number);
        return PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            _messages.Writer.TryWrite(message);
        });
    }
}

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

    public Mailbox()
    {
        // All of them before the first handler: with that, .NET notes once and for all that SIGINT is ignored.
        Native.DoNotIgnore(Native.SigTerm, Native.SigInt, Native.SigHup);
        _signals = [On(PosixSignal.SIGTERM, Message.Stop), On(PosixSignal.SIGINT, Message.Stop), On(PosixSignal.SIGHUP, Message.Reload)];
    }

    /// <summary>Is called when the process is told to end, in whatever thread hears of it.</summary>
    public Action? OnStop { private get; set; }

    public ChannelReader<Message> Messages => _messages.Reader;

    public void Dispose()
    {
        foreach (PosixSignalRegistration signal in _signals)
            signal.Dispose();
    }

    private PosixSignalRegistration On(PosixSignal signal, Message message) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        _messages.Writer.TryWrite(message);
        if (message == Message.Stop)
            OnStop?.Invoke();
    });
}

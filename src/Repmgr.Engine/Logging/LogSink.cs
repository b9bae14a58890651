using System.Buffers;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;

namespace Repmgr.Engine.Logging;

/// <summary>Where lines go. A sink never throws: what cannot be written is counted, and said when writing works again.</summary>
internal abstract class LogSink(string program, LogFormat format) : IDisposable
{
    private readonly ArrayBufferWriter<byte> _buffer = new(1024);
    private long _lost;
    private string _lostBecause = "";

    /// <summary>Lines that could not be written since the last one that could.</summary>
    public long Lost => _lost;

    /// <summary>Where it writes, for people.</summary>
    public abstract string Target { get; }

    public void Write(DateTimeOffset at, LogLine line)
    {
        if (_lost > 0)
            TryWrite(at, new LogLine(Severity.Warning, $"{_lost} log lines before this one could not be written", Detail: $"{Target}: {_lostBecause}"));
        if (_lost > 0 || !TryWrite(at, line))
            _lost++;
    }

    /// <summary>Opens the target anew: the file of that name may be another one since logrotate.</summary>
    public virtual void Reopen() { }

    public void Dispose() => Close();

    /// <summary>Lets go of the target.</summary>
    protected virtual void Close() { }

    /// <summary>Puts formatted bytes out.</summary>
    protected abstract void Put(ReadOnlySpan<byte> bytes);

    /// <summary>Puts one line out. The syslog has its own form.</summary>
    protected virtual void Put(DateTimeOffset at, LogLine line)
    {
        _buffer.ResetWrittenCount();
        LogFormatter.Write(_buffer, format, program, at, line);
        Put(_buffer.WrittenSpan);
    }

    private bool TryWrite(DateTimeOffset at, LogLine line)
    {
        try
        {
            Put(at, line);
            _lost = 0;
            return true;
        }
        // A full disk, a missing directory, a closed terminal: the daemon goes on without its log.
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            _lostBecause = failure.Message;
            return false;
        }
    }
}

/// <summary>Standard error, unbuffered.</summary>
internal sealed class StderrSink(string program, LogFormat format) : LogSink(program, format)
{
    private readonly Stream _stream = Console.OpenStandardError();

    public override string Target => "standard error";

    protected override void Put(ReadOnlySpan<byte> bytes) => _stream.Write(bytes);

    protected override void Close() => _stream.Dispose();
}

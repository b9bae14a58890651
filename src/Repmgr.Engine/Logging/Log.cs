using System.Threading.Channels;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;

namespace Repmgr.Engine.Logging;

/// <summary>Where a log goes and what it lets through.</summary>
/// <param name="Threshold">The least severity that is written.</param>
/// <param name="Facility"><c>STDERR</c>, <c>USER</c> or <c>LOCAL0</c> to <c>LOCAL7</c>.</param>
/// <param name="File">A file that takes what would go to standard error; null for standard error itself.</param>
/// <param name="Format">The form of a line; syslog has its own.</param>
public sealed record LogTarget(Severity Threshold, string Facility, string? File, LogFormat Format);

/// <summary>The log of a long-running program.</summary>
/// <remarks>
/// Lines go through a bounded queue to a thread of their own: a full disk, a hung file system or a pipe nobody reads costs
/// lines, never a turn. How many lines were lost is said as soon as one can be written again.
/// </remarks>
public sealed class Log : ILog, IDisposable
{
    private const int QueueLength = 1024;

    private readonly Channel<Entry> _queue = Channel.CreateBounded<Entry>(
        new BoundedChannelOptions(QueueLength) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private readonly string _program;
    private readonly TimeProvider _time;
    private readonly Thread _writer;
    private LogSink _sink;
    private LogTarget _target;
    private long _overflow;
    private int _pending;
    private LateSwitch? _late;

    public Log(string program, LogTarget target, TimeProvider time) : this(program, target, time, Create(program, target)) { }

    internal Log(string program, LogTarget target, TimeProvider time, LogSink sink)
    {
        (_program, _target, _time, _sink) = (program, target, time, sink);
        _writer = new Thread(Drain, maxStackSize: 128 * 1024) { IsBackground = true, Name = "log" };
        _writer.Start();
    }

    public LogTarget Target => _target;

    /// <summary>Everything handed over so far is written, or lost.</summary>
    internal bool IsIdle => Volatile.Read(ref _pending) == 0;

    public bool Writes(Severity severity) => severity >= _target.Threshold;

    public void Write(LogLine line)
    {
        if (!Writes(line.Severity))
            return;
        if (!Enqueue(new Entry(_time.GetLocalNow(), line)))
            Interlocked.Increment(ref _overflow);
    }

    /// <summary>Goes on with another target, or opens the present one anew (after logrotate).</summary>
    public void Reopen(LogTarget target)
    {
        LogSink? next = target with { Threshold = _target.Threshold } == _target ? null : Create(_program, target);
        _target = target;
        // In the queue, so that what was written before the change still goes to the old target; if it is full, as soon as can be.
        if (!Enqueue(new Entry(default, null, next)))
            Interlocked.Exchange(ref _late, new LateSwitch(next))?.To?.Dispose();
    }

    /// <summary>Says whether the target can be written to; null when it can, or when there is no way to know.</summary>
    public static Problem? Check(LogTarget target)
    {
        if (target.File is null || SyslogSink.Facility(target.Facility) is not null)
            return null;
        using var file = new FileSink(target.File, "", target.Format);
        return file.TryOpen();
    }

    /// <summary>Writes what is queued, for at most a second: a hung disk does not keep the program from ending.</summary>
    public void Dispose()
    {
        _queue.Writer.TryComplete();
        if (_writer.Join(TimeSpan.FromSeconds(1)))
            _sink.Dispose();
    }

    private static LogSink Create(string program, LogTarget target)
    {
        if (SyslogSink.Facility(target.Facility) is { } facility)
            return new SyslogSink(program, facility);
        return target.File is { Length: > 0 } file
            ? new FileSink(file, program, target.Format)
            : new StderrSink(program, target.Format);
    }

    private bool Enqueue(Entry entry)
    {
        Interlocked.Increment(ref _pending);
        if (_queue.Writer.TryWrite(entry))
            return true;
        Interlocked.Decrement(ref _pending);
        return false;
    }

    private void Drain()
    {
        while (_queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (_queue.Reader.TryRead(out Entry entry))
            {
                Handle(entry);
                Interlocked.Decrement(ref _pending);
            }
        }
    }

    private void Handle(Entry entry)
    {
        if (Interlocked.Exchange(ref _late, null) is { } late)
            Switch(late.To);
        if (entry.Line is null)
        {
            Switch(entry.Next);
            return;
        }

        long overflow = Interlocked.Exchange(ref _overflow, 0);
        if (overflow > 0)
            _sink.Write(entry.At, new LogLine(Severity.Warning, $"{overflow} log lines were dropped: the log took longer to write than to fill"));
        _sink.Write(entry.At, entry.Line);
    }

    private void Switch(LogSink? next)
    {
        if (next is null)
        {
            _sink.Reopen();
            return;
        }

        _sink.Dispose();
        _sink = next;
    }

    /// <summary>A line, or (without one) the order to reopen or to change over.</summary>
    private readonly record struct Entry(DateTimeOffset At, LogLine? Line, LogSink? Next = null);

    private sealed record LateSwitch(LogSink? To);
}

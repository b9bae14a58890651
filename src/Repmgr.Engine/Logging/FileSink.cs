using Microsoft.Win32.SafeHandles;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Daemon;

namespace Repmgr.Engine.Logging;

/// <summary>A file that is appended to. It is opened at the first line, and again after a failure.</summary>
internal sealed class FileSink(string path, string program, LogFormat format) : LogSink(program, format)
{
    private SafeFileHandle? _file;

    public override string Target => path;

    /// <summary>Opens the file now, so that a wrong path is said at once; null when it is open.</summary>
    public Problem? TryOpen()
    {
        try
        {
            _file ??= Open();
            return null;
        }
        catch (IOException failure)
        {
            return new Problem(
                $"log file \"{path}\" cannot be opened",
                Detail: $"{failure.Message}.",
                Hint: "Check log_file, and that its directory exists and is writable for the user repmgrd runs as.");
        }
    }

    public override void Reopen() => Close();

    protected override void Put(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _file ??= Open();
            // With O_APPEND Linux appends whatever the offset says: https://man7.org/linux/man-pages/man2/pwrite.2.html#BUGS
            RandomAccess.Write(_file, bytes, fileOffset: 0);
        }
        catch
        {
            Close();
            throw;
        }
    }

    // FileMode.Append would seek once and then write at its own offset, which leaves a hole after logrotate's copytruncate.
    private SafeFileHandle Open() => Native.OpenFile(path, Native.WriteOnly | Native.Create | Native.Append, mode: 0b110_100_000);

    protected override void Close()
    {
        _file?.Dispose();
        _file = null;
    }
}

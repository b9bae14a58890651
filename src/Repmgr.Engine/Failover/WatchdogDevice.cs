using System.Runtime.InteropServices;
using Repmgr.Engine.Files;

namespace Repmgr.Engine.Failover;

/// <summary>
/// The hardware watchdog of a guard (R4, docs/adr/0111): open while the server may write, and fed only so far that it fires before the lease ends. Allocates nothing after it
/// was made.
/// </summary>
/// <remarks>https://docs.kernel.org/watchdog/watchdog-api.html</remarks>
/// <param name="path">Of the device. A FIFO, which another program reads that resets the host, does as well.</param>
/// <param name="fires">How long after it was fed last the host is to be reset, in nanoseconds: whole seconds.</param>
/// <param name="budget">How long before the end of the lease the guard fences, in nanoseconds.</param>
internal sealed unsafe partial class WatchdogDevice(string path, long fires, long budget)
{
    private const int WriteOnly = 1, NonBlocking = 0x800, CloseOnExec = 0x80000;
    private const int MagicClose = 0x0100;

    // _IOR('W', 0, struct watchdog_info), _IOWR('W', 6, int), _IOR('W', 7, int) of linux/watchdog.h.
    private const nuint GetSupport = 0x80285700, SetTimeout = 0xC0045706, GetTimeout = 0x80045707;

    private readonly byte[] _path = [.. System.Text.Encoding.UTF8.GetBytes(path), 0];
    private int _file = -1;
    private bool _closes = true;
    private long _fed;

    public long State { get; private set; } = WatchdogState.None;

    public bool IsOpen => _file >= 0;

    /// <summary>Whether it can be used: it is opened and closed again. One that cannot be closed (<c>nowayout</c>) stays open, and is fed.</summary>
    public void Try()
    {
        Open();
        Close();
    }

    /// <summary>Begins: from here on the host is reset unless it is fed.</summary>
    public void Open()
    {
        if (_file >= 0)
            return;
        fixed (byte* name = _path)
            _file = OpenFile(name, WriteOnly | NonBlocking | CloseOnExec);
        if (_file < 0)
        {
            State = WatchdogState.Failed(Marshal.GetLastPInvokeError());
            return;
        }

        _fed = BootClock.Nanoseconds;
        switch (NativeFile.KindOf(_file))
        {
            case NativeFile.KindOfFifo:
                State = 0;
                break;
            case NativeFile.KindOfCharacterDevice:
                Set();
                break;
            default:
                State = WatchdogState.NoDevice;
                break;
        }

        if (State < 0)
            Close();
    }

    /// <summary>Feeds it, if it is open and fires before the lease ends all the same.</summary>
    /// <param name="now">Of the boot clock.</param>
    /// <param name="fencesAt">When the guard fences; -1: nothing is to be fenced, and a device that cannot be closed is fed.</param>
    public void Feed(long now, long fencesAt)
    {
        if (_file < 0 || (fencesAt >= 0 && now > Latest(fencesAt)))
            return;
        byte food = 0;
        _ = Write(_file, &food, 1);
        _fed = now;
    }

    /// <summary>When it is to be fed next; -1: not again before the guard fences.</summary>
    public long NextFeed(long fencesAt)
    {
        if (_file < 0)
            return -1;
        long next = _fed + (fires / 2);
        if (fencesAt < 0)
            return next;
        long latest = Latest(fencesAt);
        return latest <= _fed ? -1 : Math.Min(next, latest);
    }

    /// <summary>The server is out of service, or the agent says that all is over: the host is not to be reset.</summary>
    public void Close()
    {
        if (_file < 0 || !_closes)
            return;
        byte magic = (byte)'V';
        _ = Write(_file, &magic, 1);
        _ = CloseFile(_file);
        _file = -1;
    }

    private long Latest(long fencesAt) => fencesAt + budget - fires;

    private void Set()
    {
        int wanted = (int)(fires / 1_000_000_000), seconds = wanted;
        bool isSet = Control(_file, SetTimeout, &seconds) == 0;
        if (!isSet)
            seconds = 0;
        // A driver may round up, or have one length only.
        int shown = 0;
        if (Control(_file, GetTimeout, &shown) == 0 && shown > 0)
            seconds = shown;
        byte* support = stackalloc byte[40];
        _closes = Control(_file, GetSupport, support) != 0 || (*(uint*)support & MagicClose) != 0;
        State = seconds <= 0 ? WatchdogState.NoTimeout
            : seconds > wanted ? WatchdogState.WaitsTooLong(seconds)
            : seconds * 1_000_000_000L;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    private static partial int OpenFile(byte* path, int flags);

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(int file, void* bytes, nuint length);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int CloseFile(int file);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int Control(int file, nuint request, void* argument);
}

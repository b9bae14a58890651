using Repmgr.Core.Problems;
using Repmgr.Engine.Logging;

namespace Repmgr.Engine.Failover;

/// <summary>Says a thing once, until something else is to be said.</summary>
internal sealed class SaidOnce(ILog log)
{
    /// <summary>What was said last; empty: nothing yet.</summary>
    public string Last { get; private set; } = "";

    /// <summary>Whether this differs from what was said last; from now on it is that.</summary>
    public bool IsNew(string thing)
    {
        if (Last == thing)
            return false;
        Last = thing;
        return true;
    }

    public void Say(Severity severity, string message, string? detail = null, string? hint = null)
    {
        if (IsNew(message))
            log.Write(severity, new Problem(message, detail, hint));
    }
}

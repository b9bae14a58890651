using System.Globalization;

namespace Repmgr.Core.Settings;

/// <summary>A line of a configuration file.</summary>
/// <param name="File">The path as it is shown to the operator.</param>
/// <param name="Line">Counted from 1.</param>
public sealed record ConfPlace(string File, int Line)
{
    /// <summary><c>/etc/repmgr.conf:12</c></summary>
    public string Short => string.Create(CultureInfo.InvariantCulture, $"{File}:{Line}");

    /// <summary><c>in file "/etc/repmgr.conf" line 12</c>, as PostgreSQL's own messages have it.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"in file \"{File}\" line {Line}");
}

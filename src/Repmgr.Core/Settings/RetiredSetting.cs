namespace Repmgr.Core.Settings;

/// <summary>A key of an earlier generation that is accepted, so that an old file still works, and has no effect.</summary>
internal sealed class RetiredSetting(string name) : Setting(name)
{
    public override string TypeName => "retired";

    public override string Allowed => "anything";

    public override string? Unit => null;

    public override string? Show(Settings settings) => null;

    internal override string? Assign(string text, ref Settings settings) => null;
}

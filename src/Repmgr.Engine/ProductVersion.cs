namespace Repmgr.Engine;

/// <summary>The version of both programs.</summary>
public static class ProductVersion
{
    // Written at build time rather than read from the assembly's attributes, which would cost more than all else that --version does.
    public const string Text = "6.0.0";

    /// <summary>As repmgr 5.x has it: two digits each for the minor version and the patch level.</summary>
    public const int Number = 60000;
}

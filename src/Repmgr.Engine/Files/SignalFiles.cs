namespace Repmgr.Engine.Files;

/// <summary>The files whose presence decides how a server starts.</summary>
/// <remarks>https://www.postgresql.org/docs/current/warm-standby.html#FILE-STANDBY-SIGNAL</remarks>
public static class SignalFiles
{
    public const string Standby = "standby.signal";
    public const string Recovery = "recovery.signal";

    /// <summary>The server would start as a standby.</summary>
    public static bool IsStandby(string dataDirectory) => File.Exists(Path.Combine(dataDirectory, Standby));

    /// <summary>Makes the server start as a standby. Durable. Repeating it changes nothing.</summary>
    /// <returns>False when the file was there.</returns>
    public static bool WriteStandby(string dataDirectory)
    {
        if (IsStandby(dataDirectory))
            return false;

        DurableFile.Replace(Path.Combine(dataDirectory, Standby), []);
        return true;
    }

    /// <summary>Removes both signal files, so that the server would start as a primary. Durable.</summary>
    /// <returns>False when there was none.</returns>
    public static bool Remove(string dataDirectory) =>
        DurableFile.Remove(Path.Combine(dataDirectory, Standby)) | DurableFile.Remove(Path.Combine(dataDirectory, Recovery));
}

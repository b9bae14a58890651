using System.Globalization;
using Repmgr.Engine.Files;

namespace Repmgr.Engine.Processes;

/// <summary>
/// The home directory of the user this process acts as. <c>HOME</c> says it, unless it is another user's: a change of user that
/// keeps the environment (<c>setpriv</c>, <c>runuser</c>, <c>sudo -E</c>) leaves the caller's there, and password files and certificates found
/// in it would be somebody else's, while the server, which is started otherwise, finds its own.
/// </summary>
internal static class HomeDirectory
{
    private const string UserDatabase = "/etc/passwd";

    /// <summary>Null when there is none.</summary>
    public static string? OfThisUser()
    {
        IReadOnlyList<string> users = [];
        try
        {
            users = File.ReadAllLines(UserDatabase);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Without it nobody's home is known, and HOME stands.
        }

        return Choose(Environment.GetEnvironmentVariable("HOME"), NativeFile.EffectiveUser(), users);
    }

    /// <param name="variable">The value of <c>HOME</c>, or null.</param>
    /// <param name="user">The number of the user.</param>
    /// <param name="users">The lines of the user database.</param>
    internal static string? Choose(string? variable, uint user, IEnumerable<string> users)
    {
        string number = user.ToString(CultureInfo.InvariantCulture);
        ILookup<bool, string> homes = users.Select(line => line.Split(':')).Where(fields => fields.Length > 5 && fields[5].Length > 0)
            .ToLookup(fields => fields[2] == number, fields => Plain(fields[5]));
        string? own = homes[true].FirstOrDefault();
        if (variable is not { Length: > 0 })
            return own;

        // Root may look into every home, and is meant to when it was told so.
        bool isOthers = own is not null && user != 0 && !homes[true].Contains(Plain(variable)) && homes[false].Contains(Plain(variable));
        return isOthers ? own : variable;
    }

    private static string Plain(string path) => path.Length > 1 ? path.TrimEnd('/') : path;
}

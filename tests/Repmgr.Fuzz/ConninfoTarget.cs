using Repmgr.Core.Postgres;

namespace Repmgr.Fuzz;

/// <summary>Both forms of connection strings, password files and service files.</summary>
internal static class ConninfoTarget
{
    public static void Run(string text)
    {
        _ = PasswordFile.Find(text, "localhost", 5432, "repmgr", "repmgr");
        _ = ServiceFile.Find(text, "fuzz", "main", out _);
        if (!Conninfo.TryParse(text, out Conninfo? conninfo, out var problem))
        {
            BrokenPromiseException.Unless(problem.Message.Length > 0, "a refusal has a reason");
            return;
        }

        BrokenPromiseException.Unless(
            Conninfo.TryParse(conninfo.Reveal(), out Conninfo? again, out _) && again.Equals(conninfo), "what is revealed reads back the same");
        BrokenPromiseException.Unless(
            Conninfo.TryParse(conninfo.ToString(), out Conninfo? hidden, out _) && hidden["password"] is null or "" or Conninfo.Hidden, "a password is hidden");
        BrokenPromiseException.Unless(
            conninfo.WithoutSecrets().Keywords.All(keyword => !ConninfoKeyword.Find(keyword)!.IsSecret), "no secret is left");
        ConnectionSettings? settings = ConnectionSettingsReader.Read(conninfo, new ConnectionDefaults("me", "/tmp"), out var problems);
        BrokenPromiseException.Unless(settings is null == problems.Count > 0, "settings or problems");
        BrokenPromiseException.Unless(settings is not { Hosts.Count: 0 }, "there is a host");
    }
}

using Repmgr.Engine.Processes;

namespace Repmgr.Tests.Hosts;

public sealed class HomeDirectoryTests
{
    private static readonly string[] Users =
    [
        "root:x:0:0:root:/root:/bin/bash",
        "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin",
        "postgres:x:26:26:PostgreSQL administrator,,,:/var/lib/pgsql:/bin/bash",
        "twin:x:26:26::/srv/twin:/bin/bash",
        "alice:x:1000:1000:Alice:/home/alice/:/bin/bash",
        "broken",
    ];

    [Theory]
    [InlineData("/root", 26u, "/var/lib/pgsql")] // Left there by a change of user.
    [InlineData("/home/alice", 26u, "/var/lib/pgsql")]
    [InlineData("/root/", 26u, "/var/lib/pgsql")]
    [InlineData("/var/lib/pgsql", 26u, "/var/lib/pgsql")]
    [InlineData("/srv/twin", 26u, "/srv/twin")] // One number may have several names.
    [InlineData("/somewhere/else", 26u, "/somewhere/else")] // Set on purpose: nobody lives there.
    [InlineData(null, 26u, "/var/lib/pgsql")]
    [InlineData("", 26u, "/var/lib/pgsql")]
    [InlineData("/home/alice", 0u, "/home/alice")] // As sudo leaves it, and root may read it.
    [InlineData("/root", 4711u, "/root")] // A number without a name, as in a container: nothing better is known.
    [InlineData(null, 4711u, null)]
    public void Home_is_what_the_variable_says_unless_another_user_lives_there(string? variable, uint user, string? home) =>
        Assert.Equal(home, HomeDirectory.Choose(variable, user, Users));
}

using Repmgr.Core.Postgres;
using Repmgr.Core.Settings;

namespace Repmgr.Tests.Conf;

/// <summary>The manual's pages on the configuration are those the tables say. <c>make docs</c> writes them anew.</summary>
public sealed class SettingDocsTests
{
    private const string Introduction =
        """
        # Configuration

        Generated from the table of settings; edit that (`src/Repmgr.Core/Settings/Table`) and run `make docs`.

        `repmgr` and `repmgrd` read one file. The option `-f` (`--config-file`) names it; otherwise the first of these that exists is read:
        `./repmgr.conf`, `/etc/repmgr.conf`, `/etc/repmgr/repmgr.conf`, `repmgr.conf` beside the program. Three lines are enough:

        ```
        node_id = 1
        cluster = 'test'
        conninfo = 'host=node1 user=repmgr dbname=repmgr'
        ```

        Files of repmgr 1.x and 5.x are read as they are. `repmgr --dump-config` shows every setting, its default, and where its value comes from: a line of the file, or what was found on the machine.

        ## The file

        One `name = value` on a line, as in `postgresql.conf`. The equals sign may be left out. `#` begins a comment. A value that is not a
        simple word or number stands in single quotes; a quote inside it is doubled or has a backslash before it. The last line for a setting wins.

        `include 'file'` reads another file here, `include_if_exists 'file'` only if it is there, `include_dir 'directory'` all files in it that
        are named `*.conf`, by their names. Relative paths start at the directory of the file that includes.

        An unknown setting is a warning that names the nearest known one. Everything wrong is reported at once, with file and line, and nothing
        is done. A key whose feature is not in this version is accepted with a notice.

        A line of repmgr 1.x or 2.0 whose value has blanks or slashes and no quotes (`rsync_options=--archive --checksum`) is read as it was then,
        with a warning.


        """;

    private const string Connections =
        """

        ## Connection strings

        `conninfo`, and `--dbname`, take what libpq takes: `keyword=value` pairs or a `postgresql://` URI, several hosts, sockets, services, password
        files and environment variables (https://www.postgresql.org/docs/current/libpq-connect.html). A parameter that cannot be honoured is an
        error that names it. These defaults are repmgr's own: `connect_timeout=2` for each host (and `0` means one minute),
        `fallback_application_name=repmgr`; sessions run with an empty `search_path` and `synchronous_commit=local`. Text is exchanged in UTF-8,
        whatever `client_encoding` says.

        Passwords belong into `~/.pgpass` or another password file of mode 0600. One that stands in `conninfo` is used and never stored, shown or logged.

        """;

    [Fact]
    public void The_configuration_reference_is_up_to_date() =>
        Golden.Matches("docs/configuration.md", Introduction + SettingDocs.Reference() + Connections + "\n" + ConninfoDocs.Table());

    [Fact]
    public void The_sample_file_is_up_to_date() => Golden.Matches("packaging/repmgr.conf.sample", SettingDocs.Sample());

    [Fact]
    public void Every_line_of_the_sample_can_be_used()
    {
        string uncommented = string.Join('\n', SettingDocs.Sample().Split('\n')
            .Select(line => line.StartsWith('#') && line.Length > 1 && char.IsAsciiLetterLower(line[1]) ? line[1..] : ""));
        ConfText read = ConfSyntax.Parse(uncommented);
        Assert.Empty(read.Errors);
        string[] names = [.. read.Entries.OfType<ConfEntry.Assignment>().Select(entry => entry.Name)];
        Assert.Equal(SettingTable.All.Where(setting => setting.Retired is null).Select(setting => setting.Name).Order(), names.Distinct().Order());

        SettingsRead settings = SettingsReader.Read(read.Entries.OfType<ConfEntry.Assignment>()
            .Where(entry => entry.Value.Length > 0).Select(entry => new Assigned(entry.Name, entry.Value, new ConfPlace("sample", entry.Line))));
        Assert.Empty(settings.Problems);
    }

    [Fact]
    public void Every_setting_stands_in_the_reference_once()
    {
        string[] headings = [.. SettingDocs.Reference().Split('\n').Where(line => line.StartsWith("### ", StringComparison.Ordinal)).Select(line => line[4..])];
        Assert.Equal(SettingTable.All.Select(setting => setting.Name).Order(), headings.Order());
    }
}

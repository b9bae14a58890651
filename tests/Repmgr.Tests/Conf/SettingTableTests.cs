using Repmgr.Core.Settings;

namespace Repmgr.Tests.Conf;

public sealed class SettingTableTests
{
    [Fact]
    public void Every_spelling_finds_its_setting()
    {
        foreach (Setting setting in SettingTable.All)
        {
            Assert.Same(setting, SettingTable.Find(setting.Name));
            Assert.All(setting.Aliases, alias => Assert.Same(setting, SettingTable.Find(alias)));
        }
    }

    [Fact]
    public void A_default_reads_back_as_itself()
    {
        foreach (Setting setting in SettingTable.All.Where(setting => setting.Default is not null))
        {
            SettingsRead read = SettingsReader.Read([new Assigned(setting.Name, setting.Default!, new ConfPlace("f", 1))]);
            Assert.Empty(read.Problems);
            Assert.Equal(setting.Default, setting.Show(read.Settings));
        }
    }

    [Fact]
    public void Every_description_is_whole_sentences()
    {
        Assert.All(SettingTable.All, setting => Assert.Matches("^[A-Z0-9%].*[.]$", setting.Description));
        Assert.All(SettingTable.All, setting => Assert.DoesNotContain("  ", setting.Description, StringComparison.Ordinal));
    }
}

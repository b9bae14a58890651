using Repmgr.Core.Cloning;
using Repmgr.Core.Planning;
using Repmgr.Core.Problems;
using Repmgr.Engine.Processes;

namespace Repmgr.Engine.Cloning;

/// <summary>Fetches configuration files that the source keeps outside its data directory.</summary>
internal static class ConfigFiles
{
    public static async Task<StepOutcome> CopyAsync(Step.CopyConfigFiles step, CancellationToken cancel)
    {
        foreach (ConfigFileCopy file in step.Files)
        {
            if (Path.GetDirectoryName(file.To) is { } parent)
                Directory.CreateDirectory(parent);
            if (File.Exists(file.To))
                File.Copy(file.To, file.To + CopyRules.BeforeClone, overwrite: true);
            ProgramResult result = await CopyProgram.RunAsync(
                "rsync",
                ["--archive", "--checksum", .. RemoteProgram.RsyncOverSsh(step.Shell), RemoteProgram.Remote(step.Shell, file.From), file.To],
                ProgramEnvironment.PlainMessages,
                null,
                null,
                cancel).ConfigureAwait(false);
            if (!result.Succeeded)
            {
                (Problem problem, ExitCode code) = RemoteProgram.Failure(step.Shell, result);
                return new StepOutcome.Failed(problem with { Message = $"could not copy the configuration file \"{file.From}\"" }, code);
            }
        }

        return new StepOutcome.Done();
    }
}

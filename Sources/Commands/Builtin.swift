// The commands of this build, one line each.

public import BackstopCore

/// In the order of help.
let allCommands: [Command] = [
    BackupCommand.command,
    RestoreCommand.command,
    InfoCommand.command,
    ComingCommands.expire,
    ComingCommands.verify,
    ComingCommands.annotate,
    ArchivePush.command,
    ArchiveGet.command,
    StanzaCreate.command,
    ComingCommands.stanzaUpgrade,
    ComingCommands.stanzaDelete,
    CheckCommand.command,
    StartStop.startCommand,
    StartStop.stopCommand,
    ComingCommands.repoLs,
    ComingCommands.repoGet,
    ComingCommands.repoRm,
    ComingCommands.manifest,
    DriverCommand.command,
    ServeCommand.command,
    ComingCommands.server,
    ComingCommands.serverPing,
    Pages.help,
    Pages.version,
]

/// Runs the command of `context` and answers the exit status of a success.
public func runCommand(_ context: RunContext) async throws(BackupError) -> Int32 {
    guard let command = allCommands.first(where: { $0.spec.name == context.command }) else {
        throw BackupError(.assertion, "there is no command '\(context.command)'")
    }
    return try await command.start(context)
}

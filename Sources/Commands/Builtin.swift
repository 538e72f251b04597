// The commands of this build, one line each.

public import BackstopCore

/// Runs the command of `context` and answers the exit status of a success: 1 where the field's answer is "not found".
public func runCommand(_ context: RunContext) async throws(BackupError) -> Int32 {
    switch context.command {
    case "archive-get": return try await ArchiveGet.run(context) ? 0 : 1
    case "archive-push": try await ArchivePush.run(context)
    case "backup": try await BackupCommand.run(context)
    case "driver": try await DriverCommand.run(context)
    case "serve": try await ServeCommand.run(context)
    case "check": try await CheckCommand.run(context)
    case "info": try StandardOutput.write(try await InfoCommand.run(context))
    case "restore": try await RestoreCommand.run(context)
    case "stanza-create": try await StanzaCreate.run(context)
    case "start": try StartStop.start(context)
    case "stop": try StartStop.stop(context)
    default:
        throw BackupError(.unsupported, "not supported yet: command '\(context.command)'", hint: "'help' lists what this version does.")
    }
    return 0
}

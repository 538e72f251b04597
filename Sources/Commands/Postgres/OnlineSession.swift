// The session with the server that an online backup lives in.

import BackstopCore
import Glibc

/// Opens the session and checks that the server can be backed up.
struct OnlineSession {
    let connection: any DatabaseSession
    private let facts: ClusterFacts
    /// The server runs on this host.
    private let isHere: Bool

    init(_ context: RunContext, _ cluster: ClusterFiles) throws(BackupError) {
        connection = try cluster.connect(context)
        facts = try connection.facts()
        isHere = cluster.host == nil
        guard absolute(facts.dataDirectory, from: "/") == cluster.path else {
            throw BackupError(
                .dbMismatch, "the server's data_directory '\(facts.dataDirectory)' does not match \(cluster.name)-path '\(cluster.path)'",
                hint: "the \(cluster.name)-path and \(cluster.name)-port settings likely reference different clusters.")
        }
    }

    var isStandby: Bool { facts.isInRecovery }

    func now() throws(BackupError) -> Int64 { try connection.now() }

    /// Throws `.dbMismatch` (58) unless the server is a standby still, and of that timeline: what it has from elsewhere fits to no backup that
    /// began there.
    func requireStandby(of timeline: UInt32) throws(BackupError) {
        guard try connection.facts().isInRecovery else {
            throw BackupError(
                .dbMismatch, "the standby was promoted while it was backed up", hint: "back up again, from the new primary.")
        }
        let current = try connection.recoveryTimeline()
        guard current == timeline else {
            throw BackupError(
                .dbMismatch, "the standby follows timeline \(current), the backup began on timeline \(timeline)",
                hint: "was another server promoted meanwhile? Back up again.")
        }
    }

    /// archive_mode and archive_command.
    func checkSettings(_ context: RunContext) throws(BackupError) {
        let options = context.options
        guard options[ArchiveOptions.check] else { return }
        guard facts.archiveMode != "off" else {
            throw BackupError(.archiveDisabled, "archive_mode must be enabled", hint: "set archive_mode = on and restart PostgreSQL.")
        }
        if facts.archiveMode == "always" && options[ArchiveOptions.modeCheck] {
            throw BackupError(
                .unsupported, "archive_mode=always not supported",
                hint: "the standby would archive too; when that is wanted use --no-archive-mode-check.")
        }
        try checkArchiveCommand(try context.stanza(), context)
    }

    /// What can be seen to be wrong with it before WAL is waited for in vain.
    private func checkArchiveCommand(_ stanza: String, _ context: RunContext) throws(BackupError) {
        let usual = "archive_command = '\(Program.called) --stanza=\(stanza) archive-push %p'"
        func invalid(_ reason: String, _ hint: String?) -> BackupError {
            BackupError(.archiveCommandInvalid, reason, hint: (hint.map { "\($0)\n" } ?? "") + "for example: \(usual)")
        }
        if let library = try connection.archiver()?.library, !library.isEmpty {
            throw invalid("archive_library '\(library)' archives in place of an archive_command", "set archive_library = ''.")
        }
        // The peer's command fills the same archive.
        guard facts.archiveCommand.contains(Program.name) || facts.archiveCommand.contains("pgbackrest") else {
            throw invalid("archive_command '\(facts.archiveCommand)' must contain \(Program.name)", nil)
        }
        let command = ArchiveCommand(facts.archiveCommand)
        if let fault = command.fault(stanza: stanza) {
            throw invalid("archive_command '\(facts.archiveCommand)' \(fault.reason)", fault.hint)
        }
        guard isHere else { return }
        for (path, what) in [(command.program, "runs"), (command.configuration, "reads")] {
            if let path, access(path, F_OK) != 0, errno == ENOENT {
                throw invalid("archive_command '\(facts.archiveCommand)' \(what) '\(path)', which does not exist", nil)
            }
        }
        if context.command == "check", command.takesUsualConfiguration, context.options.source(SourceOptions.config) == .commandLine {
            context.log.warn(
                "archive_command '\(facts.archiveCommand)' names no configuration file, and this command was given one: is the usual one"
                    + " the same?\nHINT: add --config=\(absolutePath(context.options[SourceOptions.config])) to it when it is not.")
        }
    }
}

extension Connection.Settings {
    init(_ context: RunContext, _ index: Int) {
        let options = context.options
        self.init(
            socketPath: options[PostgresOptions.socketPath, index], port: options[PostgresOptions.port, index],
            user: options[PostgresOptions.user, index],
            database: options[PostgresOptions.database, index],
            version: options[PostgresOptions.path, index].flatMap(PostgresVersion.init(ofDataFolder:)), command: context.command,
            timeout: options[NetworkOptions.dbTimeout])
    }
}

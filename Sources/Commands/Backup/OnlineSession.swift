// The session with the server that an online backup lives in.

import BackstopCore

/// Opens the session, checks that the server can be backed up, and begins the backup (repository-format.md section 3.3).
struct OnlineSession {
    let connection: any DatabaseSession
    private let facts: ClusterFacts

    init(_ context: RunContext, _ cluster: ClusterFiles) throws(BackupError) {
        connection = try cluster.connect(context)
        facts = try connection.facts()
        guard absolute(facts.dataDirectory, from: "/") == cluster.path else {
            throw BackupError(
                .dbMismatch, "the server's data_directory '\(facts.dataDirectory)' does not match \(cluster.name)-path '\(cluster.path)'",
                hint: "the \(cluster.name)-path and \(cluster.name)-port settings likely reference different clusters.")
        }
    }

    var isStandby: Bool { facts.isInRecovery }

    func now() throws(BackupError) -> Int64 { try connection.now() }

    /// archive_mode and archive_command.
    func checkSettings(_ context: RunContext) throws(BackupError) {
        let options = context.options
        guard options.optionalFlag("archive-check") ?? true else { return }
        guard facts.archiveMode != "off" else {
            throw BackupError(.archiveDisabled, "archive_mode must be enabled", hint: "set archive_mode = on and restart PostgreSQL.")
        }
        if facts.archiveMode == "always" && (options.optionalFlag("archive-mode-check") ?? true) {
            throw BackupError(
                .unsupported, "archive_mode=always not supported",
                hint: "the standby would archive too; when that is wanted use --no-archive-mode-check.")
        }
        // The peer's command fills the same archive.
        guard facts.archiveCommand.contains(Program.name) || facts.archiveCommand.contains("pgbackrest") else {
            throw BackupError(
                .archiveCommandInvalid, "archive_command '\(facts.archiveCommand)' must contain \(Program.name)",
                hint: "archive_command = '\(Program.name) --stanza=\(options.string("stanza") ?? "") archive-push %p'")
        }
    }

    /// Begins the backup. With `archiveCheck` it first makes sure that WAL reaches the archive at all.
    func start(archiveCheck: ArchiveCheck?, _ cluster: ClusterFiles, _ context: RunContext) async throws(BackupError) -> BackupStart {
        let before = archiveCheck == nil ? nil : try connection.currentSegment()
        let fast = context.options.flag("start-fast")
        context.log.info(
            "execute non-exclusive backup start: backup begins after the \(fast ? "requested immediate" : "next regular") checkpoint completes"
        )
        let stamp = try connection.one(.timestamp)[0]
        let begun = try connection.startBackup(label: "\(Program.title) backup started at \(stamp)", fast: fast)
        let control = try await cluster.control()
        guard control.checkpoint >= begun.lsn else {
            throw BackupError(
                .dbMismatch, "the checkpoint '\(control.checkpoint)' in pg_control is less than the start lsn '\(begun.lsn)'",
                hint: "is \(cluster.name)-path the data directory of the server at \(cluster.name)-port?")
        }
        guard control.timeline == begun.segment.timeline else {
            throw BackupError(
                .dbMismatch, "timeline \(control.timeline) in pg_control differs from timeline \(begun.segment.timeline) of the backup")
        }
        if let archiveCheck, let before {
            if begun.segment == before {
                try connection.createRestorePoint("\(Program.title) Archive Check")
                try connection.switchWAL()
            }
            context.log.info("check archive for prior segment \(before)")
            try await archiveCheck.wait(before.name)
        }
        return begun
    }
}

extension Connection.Settings {
    init(_ context: RunContext, _ index: Int) {
        let options = context.options
        self.init(
            socketPath: options.string("pg-socket-path", index), port: Int(options.number("pg-port", index) ?? 5432),
            user: options.string("pg-user", index),
            database: options.string("pg-database", index) ?? "postgres",
            version: options.string("pg-path", index).flatMap(PostgresVersion.init(ofDataFolder:)), command: context.command,
            timeout: options.duration("db-timeout") ?? .seconds(1800))
    }
}

// check: whether a real WAL segment gets from the server into every repository.

import BackstopCore

enum CheckCommand {
    static func run(_ context: RunContext) async throws(BackupError) {
        let servers = try BackupServers.find(context, StandbyUse(context.options))
        let (cluster, session) = (servers.main.cluster, servers.main.session)
        let role = servers.isStandbyAlone ? "standby" : "primary"
        if !servers.isStandbyAlone { try session.checkSettings(context) }
        let control = try await cluster.control()
        try await PlacesOfThisHost.check(cluster, control, context)
        if let standby = servers.standby {
            context.log.info("check standby \(standby.cluster.name)")
            try standby.require(try await standby.cluster.control(), isOf: control)
        }

        let server = ArchivingServer(session.connection, cluster, isStandby: servers.isStandbyAlone, context)
        var targets: [ArchiveCheck] = []
        for index in context.repositories {
            context.log.info("check repo\(index) configuration (\(role))")
            let repository = try await StanzaRepository.open(index, context)
            let archive = try await repository.archiveInfo()
            let backup = try await repository.backupInfo()
            try repository.requireSameFormat(archive, backup)
            for current in [archive.history.current, backup.history.current] {
                guard current.identity == control.identity else {
                    throw BackupError(
                        .fileInvalid,
                        "\(repository.name): stanza is of version \(current.version), system-id \(current.systemID), the cluster of version \(control.version), system-id \(control.systemID)",
                        hint: ClusterFiles.otherClusterHint)
                }
            }
            // Another program may archive into it, and that can be checked.
            do throws(BackupError) { try repository.requireWritten(archive.format) } catch { context.log.warn("\(error)") }
            try await Uploads.look(after: repository, context)
            if let target = ArchiveCheck(repository, archive, server, context.options) { targets.append(target) }
        }
        context.log.detail("check what a backup would hold (\(role))")
        try await checkBackup(cluster, session, control, context)
        guard !targets.isEmpty else { return }
        guard !servers.isStandbyAlone else {
            return context.log.info(
                "no WAL segment is switched and waited for because \(cluster.name) is a standby, and no primary answers")
        }
        server.tellFailure()
        let segment = try session.connection.currentSegment()
        try session.connection.createRestorePoint("\(Program.title) Archive Check")
        try session.connection.switchWAL()
        for target in targets {
            context.log.info("check \(target.repository.name) archive for WAL (primary)")
            let found = try await target.wait(segment.name)
            context.log.info(
                "WAL segment \(segment) successfully archived to '\(target.repository.storage.location)/\(found.key)' on \(target.repository.name)"
            )
        }
    }

    /// Throws what a backup would be refused for before its first file is copied.
    private static func checkBackup(
        _ cluster: ClusterFiles, _ session: OnlineSession, _ control: ControlFile, _ context: RunContext
    ) async throws(BackupError) {
        var context = context
        // It leaves out what --exclude says.
        context.options = context.optionsOf["backup"] ?? context.options
        _ = try await ClusterListing.make(cluster, session, control, context)
    }
}

extension CheckCommand {
    static let command = Command(
        CommandSpec(
            "check", "Stanza", "check configuration, archiving and repositories",
            "Has the server switch to a new WAL segment and waits for it in each repository. Without --stanza all stanzas are checked."
        ) {
            $0.stanza = .optional
            $0.runsForEachStanza = true
            $0.vouchesFor = ["backup", "archive-push", "archive-get", "restore"]
        },
        repositories: .all, run: run)
}

// stanza-create: the info files that make a repository belong to a cluster (repository-format.md sections 2.5 and 2.6).

import BackstopCore

struct StanzaCreate {
    private let context: RunContext
    private let stanza: String

    static func run(_ context: RunContext) async throws(BackupError) {
        let stanza = try context.stanza()
        let command = StanzaCreate(context: context, stanza: stanza)
        let (control, cluster, servers) = try await command.cluster()
        try await PlacesOfThisHost.check(cluster, control, context)
        for index in context.repositories {
            context.log.info("stanza-create for stanza '\(stanza)' on repo\(index)")
            do throws(BackupError) {
                try await command.create(try await StanzaRepository.open(index, context), control)
            } catch {
                throw error.message.hasPrefix("repo\(index)") ? error : error.during("repo\(index)")
            }
        }
        // With the session goes the conversation that holds the locks of the cluster's host.
        withExtendedLifetime((cluster, servers)) {}
    }

    /// pg_control of the cluster; with `--online` its server must agree that it is its own, and be the primary.
    private func cluster() async throws(BackupError) -> (ControlFile, ClusterFiles, BackupServers?) {
        let isOnline = context.options[GeneralOptions.online]
        let servers = isOnline ? try BackupServers.find(context, locks: context.hostLocks) : nil
        let cluster = if let servers { servers.main.cluster } else { try ClusterFiles(context, 1, locks: context.hostLocks) }
        return (try await cluster.control(), cluster, servers)
    }

    private func create(_ repository: StanzaRepository, _ control: ControlFile) async throws(BackupError) {
        let first = try await state(repository)
        try requireWritten(first, in: repository)
        // Nothing is written to a stanza that is there and whole, nor to a store that cannot be read.
        if first.isComplete { return try report(first, repository, control) }
        // Another host may be at it: two that make the stanza at a time would leave files that do not belong together.
        let lease = try await RepositoryLease.take(repository, context)
        let result = await Result { () async throws(BackupError) in try await createAlone(repository, control, lease) }
        await lease.release(leaving: false)
        try result.get()
    }

    /// The info files of the stanza as they are.
    private struct State {
        var archive: ArchiveInfo?
        var backup: BackupInfo?
        /// Whether main files and copies are all there.
        var isComplete: Bool
    }

    private func state(_ repository: StanzaRepository) async throws(BackupError) -> State {
        let archive = try await repository.archiveInfoIfAny()
        let backup = try await repository.backupInfoIfAny()
        var isComplete = archive != nil && backup != nil
        for key in [repository.layout.archiveInfo, repository.layout.backupInfo] where isComplete {
            isComplete = try await !isIncomplete(repository, key)
        }
        return State(archive: archive, backup: backup, isComplete: isComplete)
    }

    /// Also of a stanza that is whole, to which nothing would be done: whoever creates it means to back up into it.
    private func requireWritten(_ state: State, in repository: StanzaRepository) throws(BackupError) {
        if let archive = state.archive, let backup = state.backup { try repository.requireSameFormat(archive, backup) }
        for format in [state.archive?.format, state.backup?.format].compactMap({ $0 }) { try repository.requireWritten(format) }
    }

    /// Says that the stanza is there already, or why it cannot be used.
    private func report(_ state: State, _ repository: StanzaRepository, _ control: ControlFile) throws(BackupError) {
        guard let archive = state.archive, let backup = state.backup else { return }
        try checkMatch(archive.history.current, backup.history.current, control)
        context.log.info("stanza '\(stanza)' already exists on \(repository.name) and is valid")
    }

    private func createAlone(_ repository: StanzaRepository, _ control: ControlFile, _ lease: RepositoryLease) async throws(BackupError) {
        let first = DatabaseHistory.Database(id: 1, identity: control.identity)
        let state = try await state(repository)
        try requireWritten(state, in: repository)
        switch (state.archive, state.backup) {
        case (nil, nil):
            try await refuseLeftovers(repository)
            var withCatalog = first
            withCatalog.catalogVersion = UInt64(control.catalogVersion)
            withCatalog.controlVersion = UInt64(control.controlVersion)
            let backup = BackupInfo(history: DatabaseHistory(withCatalog), repository.seal?.renewed())
            let archive = ArchiveInfo(history: DatabaseHistory(first), repository.seal?.renewed())
            try await lease.confirm()
            try await repository.save(archive)
            try await repository.save(backup)
        case (let archive?, let backup?):
            try report(state, repository, control)
            // A lost main file or copy is written again from the other one.
            if try await isIncomplete(repository, repository.layout.archiveInfo) { try await repository.save(archive) }
            if try await isIncomplete(repository, repository.layout.backupInfo) { try await repository.save(backup) }
        default:
            let (there, missing) = state.archive == nil ? ("backup.info", "archive.info") : ("archive.info", "backup.info")
            throw BackupError(
                .fileMissing, "\(there) exists but \(missing) is missing on \(repository.name)",
                hint:
                    "this may be a symptom of repository corruption!\nrestore the missing file from a copy of the repository, or use another repository path."
            )
        }
    }

    private func refuseLeftovers(_ repository: StanzaRepository) async throws(BackupError) {
        for folder in [repository.layout.backups, repository.layout.archive] {
            guard
                try await repository.storage.list(folder).allSatisfy({
                    $0.key.path.hasSuffix(Layout.temporarySuffix) || LeaseRecord.token(inName: $0.key.name) != nil
                })
            else {
                throw BackupError(
                    .pathNotEmpty,
                    "\(folder.path.prefix { $0 != "/" }) directory '\(repository.storage.location)/\(folder)' is not empty on \(repository.name)",
                    hint:
                        "this may be a symptom of repository corruption!\nits info files are missing: use another repository path, or move the folder away."
                )
            }
        }
    }

    private func checkMatch(_ archive: DatabaseHistory.Database, _ backup: DatabaseHistory.Database, _ control: ControlFile)
        throws(BackupError)
    {
        guard archive.identity == backup.identity, archive.id == backup.id else {
            throw BackupError(
                .fileInvalid,
                "backup info file and archive info file do not match"
                    + "\narchive: id = \(archive.id), version = \(archive.version), system-id = \(archive.systemID)"
                    + "\nbackup : id = \(backup.id), version = \(backup.version), system-id = \(backup.systemID)",
                hint: "this may be a symptom of repository corruption!")
        }
        guard archive.identity == control.identity else {
            throw BackupError(
                .fileInvalid,
                "backup and archive info files exist but do not match the database"
                    + "\ndatabase: version = \(control.version), system-id = \(control.systemID)"
                    + "\nstanza  : version = \(archive.version), system-id = \(archive.systemID)",
                hint: "is this the correct stanza?\ndid an error occur during stanza-upgrade?")
        }
    }

    private func isIncomplete(_ repository: StanzaRepository, _ key: Key) async throws(BackupError) -> Bool {
        for suffix in ["", Layout.copySuffix] where try await repository.storage.stat(key + suffix) == nil { return true }
        return false
    }
}

extension StanzaCreate {
    static let command = Command(
        CommandSpec(
            "stanza-create", "Stanza", "prepare the repositories for a cluster",
            "Run it once for each stanza. Run again it changes nothing, and fails when the repository belongs to another cluster."
        ) {
            $0.hasLogFile = true
        },
        locks: LockKind.allCases, repositories: .all, respectsStop: true, run: run)
}

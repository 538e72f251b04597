// backup: a full copy of a cluster into one repository (repository-format.md sections 1.3, 3 and 4).

import BackstopCore

struct BackupCommand {
    private let context: RunContext
    private let stanza: String
    private let repository: Repository
    private let lock: CommandLock
    /// What the hosts of the repository and of the cluster lock too.
    private let farLocks: HostLocks
    private let isOnline: Bool

    static func run(_ context: RunContext) async throws(BackupError) {
        let stanza = try context.stanza()
        try StopFile.check(stanza, context)
        let configured = context.options.indexes(.repo)
        let index = try Repository.selectedIndexes(context)[0]
        if configured.count > 1, context.options[GeneralOptions.repo] == nil {
            context.log.info("repo option not specified, defaulting to repo\(index)")
        }
        let lock = try CommandLock([.backup], stanza: stanza, repositories: [index], context)
        let farLocks = HostLocks(lock, [.backup], [index])
        let command = BackupCommand(
            context: context, stanza: stanza, repository: try await Repository.open(index, context, locks: farLocks), lock: lock,
            farLocks: farLocks, isOnline: context.options[GeneralOptions.online])
        // Before anything is written, and before a stanza that does not exist gets a folder.
        _ = try await BackupInfo.required(command.repository, stanza, context.log)
        let lease = try await RepositoryLease.take(command.repository, stanza, lock, context)
        do throws(BackupError) {
            try await command.run(lease)
        } catch {
            await lease.release(leaving: true)
            throw error
        }
        await lease.release(leaving: false)
    }

    private func run(_ lease: RepositoryLease) async throws(BackupError) {
        let retry = Retry(context.options)
        var info = try await BackupInfo.required(repository, stanza, context.log)
        let archiveInfo = try await ArchiveInfo.required(repository, stanza, context.log)
        let primary = isOnline ? try Primary.find(context, locks: farLocks) : nil
        let session = primary?.session
        let cluster = if let primary { primary.cluster } else { try ClusterFiles(context, 1, locks: farLocks) }
        if session == nil { try await refuseRunning(cluster) }
        let control = try await readControl(cluster)
        try checkStanza(control, info)
        try await PlacesOfThisHost.check(cluster, control, context)
        try session?.checkSettings(context)

        let listed = Set(info.backups.map(\.label))
        let repair = try await ListRepair.run(&info, repository, stanza, context.log)
        let type = try chooseType(info)
        try await Leftovers(repository: repository, stanza: stanza, lease: lease, log: context.log).remove(
            besides: listed.union(info.backups.map(\.label)), now: lease.taken)

        let start = try session?.now() ?? unixNow()
        let label = try await BackupLabel.make(type, prior: nil, start: start, others: try await usedLabels())
        try await lease.name(label)
        var manifest = newManifest(label, start: start, info, control)
        let begun = try await session?.start(
            archiveCheck: session?.archiveCheck(repository, stanza, archiveInfo, cluster, context), cluster, context)
        if let begun {
            manifest.archiveStart = begun.segment.name
            manifest.lsnStart = begun.lsn.description
        }
        manifest = try await list(manifest, cluster, session, begun == nil ? control : try await readControl(cluster))
        let total = manifest.totalSize
        context.log.detail("the backup gets the label \(label)")

        try await makeFolders(manifest)
        let unfinished = manifest
        try await retry.step("the manifest of \(repository.name)", context.log) { () throws(BackupError) in
            try await unfinished.saveUnfinished(repository, stanza, info.seal)
        }
        let copy = BackupCopy(
            context: context, stanza: stanza, repository: repository,
            encoding: try Encoding(context.options, repository.registry, manifest.seal), cluster: cluster, control: control,
            lease: lease, watch: session?.connection.watch,
            meter: ProgressMeter("backup", size: total, lock: lock, context))
        try await copy.run(&manifest)
        copy.meter.end()
        try checkCopied(manifest)

        if let session, let begun {
            try await finish(session, begun, copy, info, archiveInfo, &manifest)
        } else {
            manifest.timestampStop = max(unixNow(), start)
            try await proof(of: manifest, copy)
        }
        try await repository.storage.sync(Layout.backup(stanza, label))
        try await BackupPublication(repository: repository, stanza: stanza, lease: lease, retry: retry, log: context.log).run(
            manifest, info, repair, archiveInfo, makesLatest: context.options[RepositoryOptions.symlink, repository.index])
        context.log.info("new backup label = \(label)")
        context.log.info("\(type.rawValue) backup size = \(sizeText(manifest.totalSize)), file total = \(manifest.files.count)")
        let stored = manifest.files.reduce(0) { $0 + $1.repositorySize }
        copy.meter.succeed("\(type.rawValue) backup \(label): \(sizeText(manifest.totalSize)), \(sizeText(stored)) stored")
        warnOfRetention()
    }

    // MARK: Before

    private func refuseRunning(_ cluster: ClusterFiles) async throws(BackupError) {
        guard try await cluster.isRunning() else { return }
        guard context.options[GeneralOptions.force] else {
            throw BackupError(
                .pgRunning,
                "--no-online passed but 'postmaster.pid' exists - looks like PostgreSQL is running. Shut down PostgreSQL and try again, or use --force."
            )
        }
        context.log.warn(
            "--no-online passed and 'postmaster.pid' exists but --force was passed so backup will continue though it looks like PostgreSQL is running and the backup will probably not be consistent"
        )
    }

    private func readControl(_ cluster: ClusterFiles) async throws(BackupError) -> ControlFile {
        try await Retry(context.options).step("pg_control", context.log) { () throws(BackupError) in try await cluster.control() }
    }

    private func checkStanza(_ control: ControlFile, _ info: BackupInfo) throws(BackupError) {
        let current = info.history.current
        guard current.systemID == control.systemID, current.version == control.version.description else {
            throw BackupError(
                .backupMismatch,
                "PostgreSQL version \(control.version), system-id \(control.systemID) do not match stanza version \(current.version), system-id \(current.systemID)",
                hint: ClusterFiles.otherClusterHint)
        }
    }

    /// Only full backups are made by this version.
    private func chooseType(_ info: BackupInfo) throws(BackupError) -> BackupType {
        let type = BackupType(rawValue: context.options[GeneralOptions.type] ?? "incr") ?? .incr
        if type == .full { return .full }
        if !info.backups.contains(where: { $0.databaseID == info.history.currentID }) {
            context.log.warn("no prior backup exists, \(type.rawValue) backup has been changed to full")
            return .full
        }
        if context.options.isGiven(GeneralOptions.type) {
            throw BackupError(.unsupported, "not supported yet: --type=\(type.rawValue)", hint: "use --type=full.")
        }
        context.log.warn("not supported yet: incr backups, the default type; the backup has been changed to full")
        return .full
    }

    /// All labels that were ever used and are still known: folders on disk and the newest year of the history.
    private func usedLabels() async throws(BackupError) -> [String] {
        var labels = try await repository.storage.list(Layout.backups(stanza)).map { String($0.key.name) }.filter {
            BackupLabel.isValid($0)
        }
        let years = try await repository.storage.list(Layout.history(stanza)).filter { $0.kind == .folder }
        if let newest = years.last {
            for file in try await repository.storage.list(newest.key) {
                let label = String(file.key.name.prefix { $0 != "." })
                if BackupLabel.isValid(label) { labels.append(label) }
            }
        }
        return labels
    }

    private func newManifest(_ label: String, start: Int64, _ info: BackupInfo, _ control: ControlFile) -> Manifest {
        let options = context.options
        var manifest = Manifest(database: info.history.current)
        manifest.database.catalogVersion = UInt64(control.catalogVersion)
        manifest.database.controlVersion = UInt64(control.controlVersion)
        manifest.label = label
        manifest.type = .full
        manifest.references = [label]
        manifest.timestampStart = start
        manifest.annotations = options[BackupOptions.annotation]
        manifest.seal = repository.seal?.renewed()
        let type = options[CodecOptions.compressType]
        manifest.settings = Manifest.Settings(
            archiveCheck: isOnline && options[ArchiveOptions.check],
            archiveCopy: isOnline && options[ArchiveOptions.check] && options[ArchiveOptions.copy], standby: false,
            bufferSize: Int64(options[GeneralOptions.bufferSize]),
            checksumPage: options[BackupOptions.checksumPage] ?? (isOnline && control.hasPageChecksums), compressType: type,
            compressLevel: Int64(options[CodecOptions.compressLevel] ?? (try? repository.registry.codec(type).defaultLevel) ?? 0),
            compressLevelNetwork: Int64(options[CodecOptions.compressLevelNetwork]), delta: false,
            hardlink: options[RepositoryOptions.hardlink, repository.index],
            online: isOnline, processMax: Int64(options[WorkOptions.processMax]))
        if manifest.settings.checksumPage && !control.hasPageChecksums {
            context.log.warn("checksum-page option set to true but checksums are not enabled on the cluster, resetting to false")
            manifest.settings.checksumPage = false
        }
        return manifest
    }

    // MARK: The list

    private func list(
        _ manifest: Manifest, _ cluster: ClusterFiles, _ session: OnlineSession?, _ control: ControlFile
    ) async throws(BackupError) -> Manifest {
        var manifest = try await ClusterList.fill(manifest, cluster, session, control, context)
        // Files that change in the second of the list must not look unchanged to a later backup: copying begins in the next second.
        let listed = try session?.now() ?? unixNow()
        if let session {
            while try session.now() <= listed { try await pause(.milliseconds(50)) }
        }
        manifest.timestampCopyStart = session == nil ? listed : listed + 1
        for file in manifest.files where file.timestamp > listed {
            context.log.warn("file '\(file.name)' has timestamp (\(file.timestamp)) in the future, enabling delta checksum")
            manifest.settings.delta = true
            break
        }
        return manifest
    }

    /// A full backup has a folder for each path, empty ones too, and the links to the tablespaces (section 1.2).
    private func makeFolders(_ manifest: Manifest) async throws(BackupError) {
        guard let tree = repository.storage as? any FileTree else { return }
        let folder = Layout.backup(stanza, manifest.label)
        for path in manifest.paths { try await tree.makeDirectory(folder / path.name, Attributes()) }
        guard context.options[RepositoryOptions.symlink, repository.index] else { return }
        for target in manifest.targets {
            if let tablespace = target.tablespace {
                try await tree.link(
                    folder / "\(Manifest.dataName)/\(Manifest.tablespaceName)/\(tablespace.id)",
                    to: "../../\(Manifest.tablespaceName)/\(tablespace.id)", .symbolic)
            }
        }
    }

    // MARK: After

    private func finish(
        _ session: OnlineSession, _ begun: BackupStart, _ copy: BackupCopy, _ info: BackupInfo, _ archiveInfo: ArchiveInfo,
        _ manifest: inout Manifest
    ) async throws(BackupError) {
        context.log.info("execute backup stop and wait for all WAL segments to archive")
        let stop = try session.connection.stopBackup()
        manifest.timestampStop = max(try session.now(), manifest.timestampStart)
        manifest.archiveStop = stop.segment.name
        manifest.lsnStop = stop.lsn.description
        context.log.info("backup stop archive = \(stop.segment), lsn = \(stop.lsn)")
        try await copy.store(stop.label, as: "backup_label", timestamp: manifest.timestampStop, in: &manifest)
        if let map = stop.tablespaceMap {
            try await copy.store(map, as: "tablespace_map", timestamp: manifest.timestampStop, in: &manifest)
        }
        guard let check = session.archiveCheck(repository, stanza, archiveInfo, copy.cluster, context) else {
            return try await proof(of: manifest, copy)
        }
        let segments = WALSegment.list(
            timeline: begun.segment.timeline, from: begun.lsn, through: stop.lsn, segmentSize: copy.control.segmentSize)
        if let first = segments.first, let last = segments.last {
            context.log.info("check archive for segment(s) \(first):\(last)")
        }
        try await repository.storage.sync(Layout.backup(stanza, manifest.label))
        let unfinished = manifest
        try await Retry(context.options).step("the manifest of \(repository.name)", context.log) { () throws(BackupError) in
            try await unfinished.saveUnfinished(repository, stanza, info.seal)
        }
        // One listing, while WAL is waited for.
        let proving = Task { await Result { () async throws(BackupError) in try await proof(of: unfinished, copy) } }
        let archived = try await check.wait(all: segments)
        try await proving.value.get()
        if manifest.settings.archiveCopy {
            try await copy.store(zip(segments, archived).map { ($0, $1) }, archiveInfo, in: &manifest)
        }
    }

    private func proof(of manifest: Manifest, _ copy: BackupCopy) async throws(BackupError) {
        let proof = BackupProof(manifest, stanza: stanza, suffix: copy.encoding.codec.suffix)
        try await Retry(context.options).step("the listing of \(repository.name)", context.log) { () throws(BackupError) in
            try await proof.run(manifest.label, repository, stanza: stanza)
        }
    }

    private func checkCopied(_ manifest: Manifest) throws(BackupError) {
        for file in manifest.files {
            if file.size > 0 && (file.checksum == nil || file.repositorySize == 0) {
                throw BackupError(.format, "manifest validation failed: missing checksum or repo size for file '\(file.name)'")
            }
        }
        guard manifest.files.contains(where: { $0.name == "\(Manifest.dataName)/\(ClusterFiles.controlName)" }) else {
            throw BackupError(.fileMissing, "\(ClusterFiles.controlName) disappeared while it was backed up")
        }
    }

    private func warnOfRetention() {
        guard context.options[BackupOptions.expireAuto] || !context.options.isGiven(BackupOptions.expireAuto) else { return }
        for key in [RetentionOptions.full, RetentionOptions.diff, RetentionOptions.archive, RetentionOptions.history]
        where context.options.isGiven(key, repository.index) {
            context.log.warn(
                "not supported yet: expire; \(key.spec.fullName(repository.index)) has no effect and backups are kept")
            return
        }
    }
}

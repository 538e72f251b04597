// Where a plan of a restore gets its facts: repository, archives, and what stands in the places of the cluster. Everything is only read.

import BackstopCore

extension RestorePreview {
    /// Prints the plan. Throws what the restore would end with, as far as it is known.
    static func show(_ context: RunContext, _ cluster: ClusterFiles) async throws(BackupError) {
        var notes = RestoreNotes(log: nil)
        let preview: RestorePreview
        do throws(BackupError) {
            let prepared = try await RestorePreparation.make(context, cluster, onlyLooks: true, &notes)
            defer { prepared.acting?.end() }
            preview = try await gather(prepared, context, cluster, notes)
        } catch {
            // Without a plan that they could be part of.
            for warning in notes.warnings { context.log.warn(warning) }
            throw error
        }
        try StandardOutput.write(context.options[RunOptions.output] == "json" ? preview.json.text : preview.text)
        if let failure = preview.failure { throw failure }
    }

    private static func gather(
        _ prepared: RestorePreparation, _ context: RunContext, _ cluster: ClusterFiles, _ notes: RestoreNotes
    ) async throws(BackupError) -> RestorePreview {
        let (set, manifest, target) = (prepared.set, prepared.manifest, prepared.target)
        let readOver = UInt64(context.options[PlaceOptions.readOver, set.repository.index])
        let reader = try StoredFileReader(manifest, in: set.repository, readOver: readOver)
        let locations = try set.repository.locations(manifest)
        let standing = try await target.standing()
        let control = manifest.files.index(of: RestorePreparation.controlName)
        let files = RestoreFiles(
            manifest, RestorePlan(manifest.files, skipping: try await prepared.left(cluster), readOver: readOver, locations), last: control,
            emptied: { prepared.databases?.isEmptied($0) ?? false }, readOver: readOver, readSize: set.repository.storage.readSize,
            standing: { standing[$0] }, locations)
        let spaces = try await target.spaces(besides: prepared.databases, all: true)
        var preview = RestorePreview(
            label: set.label, type: manifest.type, repository: set.repository.name, reason: set.reason, passedOver: set.passedOver,
            stopTime: manifest.timestampStop, stop: manifest.lsnStop, dataPath: cluster.path, isDelta: target.isDelta,
            isForced: target.isForced, isRunning: prepared.isRunning, places: places(manifest), files: files, spaces: spaces,
            wal: .unknown("the backup was made offline: it needs none"),
            recovery: try await recovery(prepared, reader, context), warnings: notes.warnings, failure: RestoreSpace.refusal(spaces))
        if prepared.isRunning {
            preview.warnings.append("a server runs in '\(cluster.path)', or did not end cleanly: it has to be stopped before the restore")
        }
        if manifest.settings.online { try await preview.addWAL(prepared, reader, control, context) }
        return preview
    }

    private static func places(_ manifest: Manifest) -> [Place] {
        manifest.places.targets.filter(\.isLink).map { target in
            Place(
                name: target.tablespace.map { "tablespace \($0.name)" } ?? "link \(Manifest.shown(target.name))",
                path: manifest.places.place(of: target))
        }
    }

    // MARK: Recovery settings

    private static func recovery(
        _ prepared: RestorePreparation, _ reader: StoredFileReader, _ context: RunContext
    ) async throws(BackupError) -> Recovery {
        var settings = prepared.recovery
        var recovery = Recovery(type: settings.type)
        recovery.file = settings.file
        if settings.type == "preserve" { return recovery }
        settings.standing = try await standingTargets(prepared.manifest, reader, context)
        recovery.signal = settings.signalFile
        if settings.type != "none" { recovery.lines = [settings.header.filter { $0 != "\n" }] + (try settings.lines()) }
        if settings.version >= .v12,
            let index = prepared.manifest.files.index(of: ManifestName("\(Manifest.dataName)/postgresql.auto.conf"))
        {
            let file = prepared.manifest.files[index]
            recovery.replaced = RecoverySettings.replaced(in: try await reader.content(of: file, "read '\(file.name)'"))
        }
        return recovery
    }

    /// Of the configuration as it will be: that of the backup, and what it includes from elsewhere.
    private static func standingTargets(
        _ manifest: Manifest, _ reader: StoredFileReader, _ context: RunContext
    ) async throws(BackupError) -> Set<String> {
        let dataPath = manifest.places.dataPath
        let outside = StandingTargets(root: context.openTree(""), dataPath: dataPath)
        func inside(_ path: String) -> String? {
            path.isBelow(dataPath) ? "\(Manifest.dataName)/\(path.droppingBytes(dataPath.utf8.count + 1))" : nil
        }
        return try await StandingTargets(
            dataPath: dataPath,
            bytes: { (path) async throws(BackupError) in
                guard let name = inside(path) else { return try await outside.bytes(path) }
                guard let index = manifest.files.index(of: ManifestName(name)), manifest.files[index].size <= StandingTargets.longest else {
                    return nil
                }
                return try await reader.content(of: manifest.files[index], "read '\(name)'")
            },
            files: { folder in
                guard let name = inside(folder) else { return await outside.files(folder) }
                return manifest.files.compactMap { file in
                    sameBytes(Key(file.name.text).parent.path, name) ? "\(folder)/\(Key(file.name.text).name)" : nil
                }
            }
        ).names()
    }

    // MARK: WAL

    private mutating func addWAL(
        _ prepared: RestorePreparation, _ reader: StoredFileReader, _ control: Int?, _ context: RunContext
    ) async throws(BackupError) {
        let manifest = prepared.manifest
        guard let path = prepared.path, let start = manifest.archiveStart.flatMap({ WALSegment($0) }) else {
            wal = .unknown("the manifest does not tell where it begins")
            return
        }
        guard let control else {
            wal = .unknown("the backup has no \(ClusterFiles.controlName), which tells how large a segment is")
            return
        }
        let file = manifest.files[control]
        let segmentSize = try ControlFile(
            try await reader.content(of: file, "read '\(file.name)'"), forced: try context.forcedVersion()
        ).segmentSize
        let settings = prepared.recovery
        let goal: WALNeed.Goal
        switch settings.type {
        case "immediate", "none", "preserve": goal = .consistency
        case "lsn": goal = try settings.target.target.map { (text) throws(BackupError) in .lsn(try LSN(text)) } ?? .newest
        default: goal = .newest
        }
        var archived: Set<WALSegment> = []
        var fetching = Fetching.nothing
        if settings.type != "none" {
            let hasOwnCommand = context.options[RestoreOptions.recoveryOption].keys.contains {
                $0.replacing("-", with: "_") == "restore_command"
            }
            fetching = hasOwnCommand || settings.type == "preserve" ? .ownCommand : .archives
            for index in context.repositories {
                do throws(BackupError) {
                    archived.formUnion(try await Self.archived(index, manifest.database.identity, path, from: start, context))
                } catch  where error.code != .cancelled {
                    warnings.append("WAL in \(error.text(of: "repo\(index)"))")
                    if fetching == .archives { fetching = .archivesInPart }
                }
            }
        }
        let folder = "\(Manifest.dataName)/\(manifest.database.version.walFolder)"
        let need = try WALNeed(
            path: path, start: start, stop: manifest.archiveStop.flatMap { WALSegment($0) } ?? start, goal: goal, segmentSize: segmentSize,
            archived: archived,
            inBackup: Set(
                manifest.files.compactMap { file in
                    file.name.folder.map { sameBytes($0.path, folder) } ?? false ? WALSegment(file.name.base) : nil
                }))
        let judgement = Self.judge(need, manifest.label, goal, fetching)
        wal = .needed(need)
        warnings += judgement.warnings
        failure = failure ?? judgement.failure
    }

    /// Which segments on the way a repository has, of all histories of the cluster, as archive-get looks for them.
    private static func archived(
        _ index: Int, _ identity: ClusterIdentity, _ path: TimelinePath, from start: WALSegment, _ context: RunContext
    ) async throws(BackupError) -> Set<WALSegment> {
        let repository = try await StanzaRepository.open(index, context)
        let timelines = Set(path.timelines)
        var folders: [Key] = []
        for database in try await repository.archiveInfo().history.databases where database.identity == identity {
            for entry in try await repository.storage.list(repository.layout.archive / database.archiveID) where entry.kind == .folder {
                guard let first = WALSegment(entry.key.name + "00000000"), timelines.contains(first.timeline), first.log >= start.log else {
                    continue
                }
                folders.append(entry.key)
            }
        }
        var segments: Set<WALSegment> = []
        // As many at a time as are worth it: an archive of years has thousands of folders.
        let atATime = max(1, repository.storage.smallAtATime)
        for begin in stride(from: 0, to: folders.count, by: atATime) {
            let answers = await withTaskGroup(of: Result<[WALSegment], BackupError>.self) { group in
                for folder in folders[begin..<min(begin + atATime, folders.count)] {
                    group.addTask {
                        await Result { () async throws(BackupError) in try await ArchiveFile.segments(in: folder, repository) }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            for answer in answers { segments.formUnion(try answer.get()) }
        }
        return segments
    }
}

extension RestoreTarget {
    /// Of the files of the backup, by their indexes, what stands in their places and is looked at before it is replaced. Empty without delta.
    func standing() async throws(BackupError) -> [Int: RestoreFiles.Standing] {
        guard isDelta else { return [:] }
        let places = realPlaces.sorted { $0.key.path.utf8.count > $1.key.path.utf8.count }
        let root = context.openTree("")
        var standing: [Int: RestoreFiles.Standing] = [:]
        for (index, file) in manifest.files.enumerated() where file.name != RestorePreparation.controlName {
            let name = file.name.text
            guard let (key, path) = places.first(where: { sameBytes(name, $0.key.path) || name.isBelow($0.key.path) }) else { continue }
            let place = path + name.droppingBytes(key.path.utf8.count)
            guard let entry = try? await root.stat(Key(absolute: place)), entry.kind == .file, entry.size == file.size else { continue }
            if isForced {
                if entry.modified == file.timestamp, entry.modified < manifest.timestampCopyStart { standing[index] = .kept }
            } else {
                standing[index] = file.size == 0 ? .kept : .compared
            }
        }
        return standing
    }
}

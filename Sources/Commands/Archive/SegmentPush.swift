// One WAL segment into every repository (repository-format.md section 9.3).

import BackstopCore

/// Reading, compressing and sending begin while the repositories still tell what their archives have; the end of a segment is stored only
/// when all of them agree that it is wanted.
struct SegmentPush: Sendable {
    /// What the repositories' answers come to.
    private struct Decision {
        var targets: [ArchiveTarget]
        var failures: [String]
    }

    private let file: WALFile
    private let archives: ArchiveTargets
    private let settings: PushSettings

    init(_ file: WALFile, _ archives: ArchiveTargets, _ settings: PushSettings) {
        self.file = file
        self.archives = archives
        self.settings = settings
    }

    /// Answers with the failures of all repositories that do not have the segment now.
    func run() async throws(BackupError) -> [String] {
        let opening = Task { await Result { () async throws(BackupError) in try await archives.usable(for: file.name) } }
        guard let registry = archives.repositories.first?.registry else { return try await opening.value.get().failures }
        let content = try await SegmentContent(file, try registry.checksum("sha1"))
        let header = try header(of: content)
        let deciding = Task {
            await Result { () async throws(BackupError) in try await decide(try await opening.value.get(), content, header) }
        }
        let results = try await store(content, deciding)
        var all = try await deciding.value.get().failures
        for (repository, result) in zip(archives.repositories, results) {
            do throws(BackupError) {
                try result.get()
            } catch  where error.code != .cancelled {
                all.append(error.text(of: repository.name))
            }
        }
        return all
    }

    /// Of a file that can be the segment of its name; nil when headers are not to be looked at.
    private func header(of content: SegmentContent) throws(BackupError) -> WALHeader? {
        guard settings.checksHeader else { return nil }
        do throws(BackupError) {
            let header = try WALHeader(content.head, forced: settings.forcedVersion)
            if let segment = WALFileName(file.name).segment { try header.require(segment, size: content.size) }
            return header
        } catch {
            throw error.during("WAL file '\(file.path)'")
        }
    }

    // MARK: Which repositories want it

    private func decide(
        _ opened: (targets: [ArchiveTarget], failures: [String]), _ content: SegmentContent, _ header: WALHeader?
    ) async throws(BackupError) -> Decision {
        if let header { try require(header, isOf: opened.targets[0].database) }
        var decision = Decision(targets: [], failures: opened.failures)
        for target in opened.targets {
            do throws(BackupError) {
                if let found = try await find(target) {
                    try await accept(found, in: target.repository, content.sha1)
                } else {
                    decision.targets.append(target)
                }
            } catch  where error.code != .cancelled && error.code != .archiveDuplicate {
                decision.failures.append(error.text(of: target.repository.name))
            }
        }
        return decision
    }

    private func require(_ header: WALHeader, isOf database: DatabaseHistory.Database) throws(BackupError) {
        guard header.identity == database.identity else {
            throw BackupError(
                .archiveMismatch,
                "WAL file '\(file.path)' version \(header.version), system-id \(header.systemID) do not match stanza version"
                    + " \(database.version), system-id \(database.systemID)",
                hint: "are you archiving to the correct stanza?")
        }
    }

    private func find(_ target: ArchiveTarget) async throws(BackupError) -> ArchivedSegment? {
        let found = try await target.archive.find(file.name, target.database.archiveID)
        guard found.count <= 1 else {
            throw BackupError(
                .repoInvalid,
                "duplicates found in the archive for WAL segment \(file.name): " + found.map(\.key.path).joined(separator: ", "),
                hint: "are multiple primaries archiving to this stanza?")
        }
        return found.first
    }

    /// What is there already is what was to be pushed.
    private func accept(_ found: ArchivedSegment, in repository: StanzaRepository, _ digest: String) async throws(BackupError) {
        guard found.sha1 == digest else {
            throw BackupError(
                .archiveDuplicate, "WAL file '\(file.name)' already exists in the \(repository.name) archive with a different checksum",
                hint: "are multiple primaries archiving to this stanza?")
        }
        // A run that was killed may have put it there without making its name durable.
        try await repository.storage.sync(found.key.parent)
        if settings.checksMode {
            settings.log.warn(
                "WAL file '\(file.name)' already exists in the \(repository.name) archive with the same checksum"
                    + "\nHINT: this is valid in some recovery scenarios but may also indicate a problem.")
        }
    }

    // MARK: Storing

    private typealias Deciding = Task<Result<Decision, BackupError>, Never>

    /// Into all repositories at a time; the results are in their order. Compressed once where there are several, each on a lane of its own:
    /// what one of them still has to do, and what it waits for, is not the others' affair.
    private func store(
        _ content: SegmentContent, _ deciding: Deciding
    ) async throws(BackupError) -> [Result<Void, BackupError>] {
        let repositories = archives.repositories
        guard repositories.count > 1 else { return [await store(repositories[0], content, nil, deciding)] }
        let compressing = Task {
            await Result { () async throws(BackupError) in
                settings.coding.compresses ? try await CompressedSegment(content, settings.coding) : nil
            }
        }
        var lanes: [Lane] = []
        defer {
            for lane in lanes { lane.close() }
            for lane in lanes { lane.join() }
        }
        for _ in repositories { lanes.append(try Lane.start()) }
        return await withTaskGroup(of: (Int, Result<Void, BackupError>).self) { group in
            for (index, repository) in repositories.enumerated() {
                group.addTask(executorPreference: lanes[index]) { (index, await store(repository, content, compressing, deciding)) }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    /// Also done when this repository does not want it.
    private func store(
        _ repository: StanzaRepository, _ content: SegmentContent, _ compressing: Task<Result<CompressedSegment?, BackupError>, Never>?,
        _ deciding: Deciding
    ) async -> Result<Void, BackupError> {
        await Result { () async throws(BackupError) in
            // With a storage that answers at once there is nothing to gain, and a passphrase is known when archive.info is.
            if let likelyID = archives.likelyID, repository.seal == nil, repository.storage.smallAtATime > 1 {
                let isRight = { @Sendable () async -> Bool in
                    guard case .success(let decision) = await deciding.value else { return false }
                    return decision.targets.contains { $0.repository.index == repository.index && $0.database.archiveID == likelyID }
                }
                do throws(BackupError) {
                    return try await put(repository, likelyID, content, compressing, nil) { () throws(BackupError) in
                        if await !isRight() { throw BackupError(.cancelled, "not wanted") }
                    }
                } catch {
                    if await isRight() { throw error }
                }
            }
            guard let target = try await deciding.value.get().targets.first(where: { $0.repository.index == repository.index }) else {
                return
            }
            try await put(repository, target.database.archiveID, content, compressing, target.archive.info.seal)
        }
    }

    /// Never removes anything: another push of the same segment, which may have reported success, uses the same name.
    private func put(
        _ repository: StanzaRepository, _ archiveID: String, _ content: SegmentContent,
        _ compressing: Task<Result<CompressedSegment?, BackupError>, Never>?, _ seal: Seal?,
        _ gate: @escaping @Sendable () async throws(BackupError) -> Void = {}
    ) async throws(BackupError) {
        let coding = settings.coding.sealed(by: seal)
        let name = "\(file.name)-\(content.sha1)\(coding.codec.suffix)"
        let key = repository.layout.archiveFolder(archiveID, of: file.name) / name
        do throws(BackupError) {
            let bytes: any ByteSource & ~Copyable
            if let compressed = try await compressing?.value.get() {
                bytes = try Flow(compressed.open(), Chain(try coding.encryption()))
            } else {
                bytes = try Flow(try await content.open(), Chain(try coding.encoder()))
            }
            var source = GatedSource(bytes, gate)
            _ = try await repository.storage.put(key, from: &source, PutOptions())
        } catch  where error.code == .alreadyExists {
            // Somebody was faster, where what is there is not replaced. The name tells the content.
            try await repository.storage.sync(key.parent)
        } catch  where error.code == .checksum {
            throw error.during("WAL file '\(file.path)' changed while it was pushed")
        }
    }
}

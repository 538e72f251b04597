// One WAL segment into every repository (repository-format.md section 9.3).

import BackstopCore

/// Reading, compressing and sending begin while the repositories still tell what their archives have; the end of a segment is stored only
/// when all of them agree that it is wanted.
struct SegmentPush: Sendable {
    private typealias Deciding = Task<Result<SegmentDecision, BackupError>, Never>

    private let file: WALFile
    private let archives: ArchiveTargets
    private let settings: PushSettings

    init(_ file: WALFile, _ archives: ArchiveTargets, _ settings: PushSettings) {
        self.file = file
        self.archives = archives
        self.settings = settings
    }

    /// Answers with the failures of all repositories that do not have the segment now. Throws what concerns all of them: a file that cannot
    /// be the segment of its name, one that an archive has with other content, and that no repository is usable.
    func run() async throws(BackupError) -> [String] {
        let opening = Task { await Result { () async throws(BackupError) in try await archives.usable(for: file.name) } }
        let content = try await SegmentContent(file, settings.sha1)
        let header = try header(of: content)
        let deciding = Task {
            await Result { () async throws(BackupError) in
                try await SegmentDecision(file, content, header, try await opening.value.get(), settings)
            }
        }
        let results = try await storeInAll(content, deciding)
        var failures = try await deciding.value.get().failures
        for (repository, result) in zip(archives.repositories, results) {
            do throws(BackupError) {
                try result.get()
            } catch  where error.code != .cancelled {
                failures.append(error.text(of: repository.name))
            }
        }
        return failures
    }

    /// Of a file that can be the segment of its name; nil when headers are not to be looked at.
    private func header(of content: SegmentContent) throws(BackupError) -> WALHeader? {
        guard settings.checksHeader else { return nil }
        do throws(BackupError) {
            let header = try WALHeader(content.head, forced: try settings.forcedVersion.get())
            if let segment = WALFileName(file.name).segment { try header.require(segment, size: content.size) }
            return header
        } catch {
            throw error.during("WAL file '\(file.path)'")
        }
    }

    /// The results are in the order of the repositories. Several of them share one compression and have a lane each: what one repository
    /// still has to do, and what it waits for, is not the others' affair.
    private func storeInAll(
        _ content: SegmentContent, _ deciding: Deciding
    ) async throws(BackupError) -> [Result<Void, BackupError>] {
        let repositories = archives.repositories
        if repositories.count == 1 { return [await store(content, in: repositories[0], nil, deciding)] }
        var shared: SharedCompression?
        if case .success(let coding) = settings.coding, coding.compresses {
            shared = SharedCompression(content, coding, atMost: settings.mostInMemory)
        }
        var lanes: [Lane] = []
        defer {
            for lane in lanes { lane.close() }
            for lane in lanes { lane.join() }
        }
        for _ in repositories { lanes.append(try Lane.start()) }
        return await withTaskGroup(of: (Int, Result<Void, BackupError>).self) { group in
            for (index, repository) in repositories.enumerated() {
                group.addTask(executorPreference: lanes[index]) { [shared] in
                    (index, await store(content, in: repository, shared, deciding))
                }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    /// Also done when this repository does not want it. `shared`: nil where the repository reads and compresses the segment for itself.
    private func store(
        _ content: SegmentContent, in repository: StanzaRepository, _ shared: SharedCompression?, _ deciding: Deciding
    ) async -> Result<Void, BackupError> {
        await Result { () async throws(BackupError) in
            // With a storage that answers at once there is nothing to gain, and a passphrase is known when archive.info is.
            if let likelyID = archives.likelyID, repository.seal == nil, repository.storage.smallAtATime > 1 {
                let isRight = { @Sendable () async -> Bool in
                    guard case .success(let decision) = await deciding.value else { return false }
                    return decision.target(in: repository)?.database.archiveID == likelyID
                }
                do throws(BackupError) {
                    return try await put(content, in: repository, likelyID, shared, nil) { () throws(BackupError) in
                        if await !isRight() { throw BackupError(.cancelled, "not wanted") }
                    }
                } catch {
                    if await isRight() { throw error }
                }
            }
            guard let target = try await deciding.value.get().target(in: repository) else { return }
            try await put(content, in: repository, target.database.archiveID, shared, target.archive.info.seal)
        }
    }

    /// Never removes anything: another push of the same segment, which may have reported success, uses the same name.
    private func put(
        _ content: SegmentContent, in repository: StanzaRepository, _ archiveID: String, _ shared: SharedCompression?, _ seal: Seal?,
        _ gate: @escaping @Sendable () async throws(BackupError) -> Void = {}
    ) async throws(BackupError) {
        let coding = try settings.coding.get().sealed(by: seal)
        let name = "\(file.name)-\(content.sha1)\(coding.codec.suffix)"
        let key = repository.layout.archiveFolder(archiveID, of: file.name) / name
        do throws(BackupError) {
            let bytes: any ByteSource & ~Copyable
            if let compressed = try await shared?.segment() {
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

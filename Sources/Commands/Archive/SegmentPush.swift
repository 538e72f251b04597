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

    private let push: ArchivePush
    private let tree: any FileTree
    private let file: Key

    init(_ push: ArchivePush, _ tree: any FileTree, _ file: Key) {
        self.push = push
        self.tree = tree
        self.file = file
    }

    /// `failures`: of repositories that could not be opened. Answers with those of all repositories that do not have the segment now.
    func run(_ repositories: [Repository], _ failures: [String]) async throws(BackupError) -> [String] {
        let control = await push.clusterControl()
        let opening = Task {
            await Result { () async throws(BackupError) in try await push.openTargets(repositories, control, failures) }
        }
        let content = try await SegmentContent(file, of: tree, shown: push.path, try push.context.registry.checksum("sha1"))
        let header = try header(of: content)
        let deciding = Task {
            await Result { () async throws(BackupError) in try await decide(try await opening.value.get(), content, header) }
        }
        let likelyID = (try? control?.get()).map { Layout.archiveID(version: $0.version.description, id: 1) }
        let results = await withTaskGroup(of: (Repository, Result<Void, BackupError>).self) { group in
            for repository in repositories {
                group.addTask {
                    let result = await Result { () async throws(BackupError) in try await store(repository, content, likelyID, deciding) }
                    return (repository, result)
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        var all = try await deciding.value.get().failures
        for (repository, result) in results.sorted(by: { $0.0.index < $1.0.index }) {
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
        guard push.context.options[ArchiveOptions.headerCheck] else { return nil }
        do throws(BackupError) {
            let header = try WALHeader(content.head, forced: try push.context.forcedVersion())
            if let segment = WALFileName(push.name).segment { try header.require(segment, size: content.size) }
            return header
        } catch {
            throw error.during("WAL file '\(push.path)'")
        }
    }

    // MARK: Which repositories want it

    private func decide(
        _ opened: (usable: [ArchiveTarget], failures: [String]), _ content: SegmentContent, _ header: WALHeader?
    ) async throws(BackupError) -> Decision {
        if let header { try require(header, isOf: opened.usable[0].database) }
        var decision = Decision(targets: [], failures: opened.failures)
        for target in opened.usable {
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
        guard header.systemID == database.systemID, header.version.description == database.version else {
            throw BackupError(
                .archiveMismatch,
                "WAL file '\(push.path)' version \(header.version), system-id \(header.systemID) do not match stanza version"
                    + " \(database.version), system-id \(database.systemID)",
                hint: "are you archiving to the correct stanza?")
        }
    }

    private func find(_ target: ArchiveTarget) async throws(BackupError) -> ArchivedSegment? {
        let found = try await target.archive.find(push.name, target.database.archiveID)
        guard found.count <= 1 else {
            throw BackupError(
                .repoInvalid,
                "duplicates found in the archive for WAL segment \(push.name): " + found.map(\.key.path).joined(separator: ", "),
                hint: "are multiple primaries archiving to this stanza?")
        }
        return found.first
    }

    /// What is there already is what was to be pushed.
    private func accept(_ found: ArchivedSegment, in repository: Repository, _ digest: String) async throws(BackupError) {
        guard found.sha1 == digest else {
            throw BackupError(
                .archiveDuplicate, "WAL file '\(push.name)' already exists in the \(repository.name) archive with a different checksum",
                hint: "are multiple primaries archiving to this stanza?")
        }
        // A run that was killed may have put it there without making its name durable.
        try await repository.storage.sync(found.key.parent)
        if push.context.options[ArchiveOptions.modeCheck] {
            push.context.log.warn(
                "WAL file '\(push.name)' already exists in the \(repository.name) archive with the same checksum"
                    + "\nHINT: this is valid in some recovery scenarios but may also indicate a problem.")
        }
    }

    // MARK: Storing

    /// Also done when this repository does not want it.
    private func store(
        _ repository: Repository, _ content: SegmentContent, _ likelyID: String?, _ deciding: Task<Result<Decision, BackupError>, Never>
    ) async throws(BackupError) {
        // With a storage that answers at once there is nothing to gain, and a passphrase is known when archive.info is.
        if let likelyID, repository.seal == nil, repository.storage.smallAtATime > 1 {
            let encoding = try Encoding(push.context.options, repository.registry, nil)
            let isRight = { @Sendable () async -> Bool in
                guard case .success(let decision) = await deciding.value else { return false }
                return decision.targets.contains { $0.repository.index == repository.index && $0.database.archiveID == likelyID }
            }
            do throws(BackupError) {
                return try await put(repository, likelyID, content, encoding) { () throws(BackupError) in
                    if await !isRight() { throw BackupError(.cancelled, "not wanted") }
                }
            } catch {
                if await isRight() { throw error }
            }
        }
        guard let target = try await deciding.value.get().targets.first(where: { $0.repository.index == repository.index }) else { return }
        let encoding = try Encoding(push.context.options, repository.registry, target.archive.info.seal)
        try await put(repository, target.database.archiveID, content, encoding)
    }

    /// Never removes anything: another push of the same segment, which may have reported success, uses the same name.
    private func put(
        _ repository: Repository, _ archiveID: String, _ content: SegmentContent, _ encoding: Encoding,
        _ gate: @escaping @Sendable () async throws(BackupError) -> Void = {}
    ) async throws(BackupError) {
        let key = Layout.archiveFolder(push.stanza, archiveID, of: push.name) / "\(push.name)-\(content.sha1)\(encoding.codec.suffix)"
        do throws(BackupError) {
            var source = GatedSource(try Flow(try await content.open(), Chain(try encoding.steps())), gate)
            _ = try await repository.storage.put(key, from: &source, PutOptions())
        } catch  where error.code == .alreadyExists {
            // Somebody was faster, where what is there is not replaced. The name tells the content.
            try await repository.storage.sync(key.parent)
        } catch  where error.code == .checksum {
            throw error.during("WAL file '\(push.path)' changed while it was pushed")
        }
    }
}

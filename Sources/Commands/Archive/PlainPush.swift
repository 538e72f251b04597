// One history or backup history file into every repository (repository-format.md section 9.3): stored as it is called.

import BackstopCore

/// PostgreSQL pushes a file again after a crash, and for as long as another repository failed: what is there already is success.
struct PlainPush: Sendable {
    private let push: ArchivePush
    private let tree: any FileTree
    private let file: Key

    init(_ push: ArchivePush, _ tree: any FileTree, _ file: Key) {
        self.push = push
        self.tree = tree
        self.file = file
    }

    /// `failures`: of repositories that could not be opened. Answers with those of all repositories that do not have the file now.
    func run(_ repositories: [Repository], _ failures: [String]) async throws(BackupError) -> [String] {
        let bytes = try await tree.read(file, limit: PresentFile.largest)
        var (targets, failures) = try await push.openTargets(repositories, await push.clusterControl(), failures)
        for target in targets {
            do throws(BackupError) {
                try await store(bytes, target)
            } catch  where error.code != .cancelled && error.code != .archiveDuplicate {
                failures.append(error.text(of: target.repository.name))
            }
        }
        return failures
    }

    private func store(_ bytes: [UInt8], _ target: ArchiveTarget) async throws(BackupError) {
        let storage = target.repository.storage
        let key = Layout.archiveFolder(push.stanza, target.database.archiveID, of: push.name) / push.name
        let knows = storage.capabilities.contains(.putIfAbsent)
        do throws(BackupError) {
            if !knows, try await storage.stat(key) != nil { throw BackupError(.alreadyExists, "'\(key)' exists") }
            return try await put(bytes, key, target, PutOptions(ifAbsent: knows))
        } catch  where error.code == .alreadyExists {
            // Looked at below.
        }
        let present = try await read(key, target)
        switch try PresentFile.decide(push.name, new: bytes, present, in: target.repository.name) {
        case .keep(let warning):
            if let warning { push.context.log.warn(warning) }
            // A run that was killed may have put it there without making its name durable.
            try await storage.sync(key.parent)
        case .replace(let warning):
            push.context.log.warn(warning)
            try await put(bytes, key, target, PutOptions())
        }
    }

    private func put(_ bytes: [UInt8], _ key: Key, _ target: ArchiveTarget, _ options: PutOptions) async throws(BackupError) {
        var flow = try Flow(BytesSource(bytes), Chain(try target.archive.info.seal.encryption()))
        _ = try await target.repository.storage.put(key, from: &flow, options)
    }

    private func read(_ key: Key, _ target: ArchiveTarget) async throws(BackupError) -> PresentFile.Content {
        do throws(BackupError) {
            var source = try Flow(try await target.repository.storage.open(key), Chain(try target.archive.info.seal.decryption()))
            return .bytes(try await source.readAll(limit: PresentFile.largest))
        } catch  where error.code == .denied {
            return .hidden
        } catch  where error.code.isDamage {
            return .damaged
        }
    }
}

// One history or backup history file into every repository (repository-format.md section 9.3): stored as it is called.

import BackstopCore

/// PostgreSQL pushes a file again after a crash, and for as long as another repository failed: what is there already is success.
struct PlainPush: Sendable {
    private let file: WALFile
    private let targets: ArchiveTargets
    private let log: Log

    init(_ file: WALFile, _ targets: ArchiveTargets, _ log: Log) {
        self.file = file
        self.targets = targets
        self.log = log
    }

    /// Answers with the failures of all repositories that do not have the file now.
    func run() async throws(BackupError) -> [String] {
        let bytes = try await file.tree.read(file.key, limit: PresentFile.largest)
        var (usable, failures) = try await targets.usable(for: file.name)
        for target in usable {
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
        let key = target.repository.layout.archiveFolder(target.database.archiveID, of: file.name) / file.name
        let knows = storage.capabilities.contains(.putIfAbsent)
        do throws(BackupError) {
            if !knows, try await storage.stat(key) != nil { throw BackupError(.alreadyExists, "'\(key)' exists") }
            return try await put(bytes, key, target, PutOptions(ifAbsent: knows))
        } catch  where error.code == .alreadyExists {
            // Looked at below.
        }
        let present = try await read(key, target)
        switch try PresentFile.decide(file.name, new: bytes, present, in: target.repository.name) {
        case .keep(let warning):
            if let warning { log.warn(warning) }
            // A run that was killed may have put it there without making its name durable.
            try await storage.sync(key.parent)
        case .replace(let warning):
            log.warn(warning)
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

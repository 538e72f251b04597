// Manifests in a repository: loading either of the two, saving in the order that survives a crash.

import BackstopCore

extension Manifest {
    /// Loads the manifest of a backup, or its copy when that fails.
    static func load(
        _ repository: Repository, _ stanza: String, _ label: String, _ seal: Seal?, _ log: Log
    ) async throws(BackupError) -> Manifest {
        let sha1 = try repository.sha1()
        let key = Layout.manifest(stanza, label)
        let manifest = try await repository.loadPair(key, seal, log) { (bytes) throws(BackupError) in try Manifest(bytes, sha1, in: seal) }
        guard let manifest else {
            throw BackupError(.fileMissing, "\(repository.name): backup '\(label)' has no manifest '\(repository.storage.location)/\(key)'")
        }
        guard manifest.label == label else {
            throw BackupError(.format, "\(repository.name): manifest of backup '\(label)' says that it is of '\(manifest.label)'")
        }
        return manifest
    }

    /// Saves only the copy: the backup is running, and can be told from a complete one by the missing main file.
    func saveUnfinished(_ repository: Repository, _ stanza: String, _ seal: Seal?) async throws(BackupError) {
        let bytes = try bytes(try repository.sha1(), version: Program.formatVersion)
        try await repository.write(Layout.manifest(stanza, label) + Layout.copySuffix, bytes, seal)
    }

    /// Saves the final manifest: the copy, the main file, then the history (repository-format.md section 1.3).
    func save(_ repository: Repository, _ stanza: String, _ seal: Seal?) async throws(BackupError) {
        let bytes = try bytes(try repository.sha1(), version: Program.formatVersion)
        // What cannot be read back must not be called a backup.
        _ = try Manifest(bytes, try repository.sha1(), in: seal)
        let key = Layout.manifest(stanza, label)
        try await repository.write(key + Layout.copySuffix, bytes, seal)
        // A byte copy, as the field has it.
        try await repository.storage.put(key, bytes: try await repository.storage.read(key + Layout.copySuffix))

        let compression = Step.transform(try repository.registry.codec("gz").open(9, .normal).encoder())
        var flow = try Flow(BytesSource(bytes), Chain([compression] + (try seal.encryption())))
        _ = try await repository.storage.put(Layout.history(stanza, manifestOf: label), from: &flow, PutOptions())
    }
}

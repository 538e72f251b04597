// One stanza in one repository: its info files and manifests, by the names that the format gives them.

import BackstopCore

struct StanzaRepository: Sendable {
    let repository: Repository
    let layout: Layout
    let log: Log

    init(_ repository: Repository, _ stanza: String, _ log: Log) {
        self.repository = repository
        layout = Layout(stanza: stanza)
        self.log = log
    }

    /// Of the stanza of the run. What the command locks is locked on the repository's host too.
    static func open(_ index: Int, _ context: RunContext) async throws(BackupError) -> StanzaRepository {
        StanzaRepository(try await Repository.open(index, context, locks: context.hostLocks), try context.stanza(), context.log)
    }

    var stanza: String { layout.stanza }
    /// As in `repo1-…`.
    var index: Int { repository.index }
    var name: String { repository.name }
    var storage: any Storage { repository.storage }
    var registry: Registry { repository.registry }
    /// Of the info files.
    var seal: Seal? { repository.seal }

    func sha1() throws(BackupError) -> any Checksum { try repository.sha1() }

    // MARK: archive.info

    /// nil when there is none.
    func archiveInfoIfAny() async throws(BackupError) -> ArchiveInfo? {
        let sha1 = try sha1()
        return try await repository.loadPair(layout.archiveInfo, seal, log) { (file) throws(BackupError) in
            let info = try ArchiveInfo(file.bytes, sha1, in: seal)
            try file.require(info.format)
            return info
        }
    }

    /// Throws `.fileMissing` (55), and says what to do, when there is none.
    func archiveInfo() async throws(BackupError) -> ArchiveInfo {
        if let info = try await archiveInfoIfAny() { return info }
        throw missing(layout.archiveInfo, "archive.info cannot be opened but is required to push/get WAL segments.")
    }

    func save(_ info: ArchiveInfo) async throws(BackupError) {
        try requireWritten(info.format)
        try await repository.savePair(layout.archiveInfo, try info.bytes(try sha1(), version: Program.formatVersion), seal)
    }

    // MARK: backup.info

    /// nil when there is none.
    func backupInfoIfAny() async throws(BackupError) -> BackupInfo? {
        let sha1 = try sha1()
        return try await repository.loadPair(layout.backupInfo, seal, log) { (file) throws(BackupError) in
            let info = try BackupInfo(file.bytes, sha1, in: seal)
            try file.require(info.format)
            return info
        }
    }

    /// Throws `.fileMissing` (55), and says what to do, when there is none.
    func backupInfo() async throws(BackupError) -> BackupInfo {
        if let info = try await backupInfoIfAny() { return info }
        throw missing(layout.backupInfo, "backup.info cannot be opened and is required to perform a backup.")
    }

    func save(_ info: BackupInfo) async throws(BackupError) {
        try requireWritten(info.format)
        try await repository.savePair(layout.backupInfo, try info.bytes(try sha1(), version: Program.formatVersion), seal)
    }

    private func missing(_ key: Key, _ need: String) -> BackupError {
        BackupError(
            .fileMissing, "\(name): '\(storage.location)/\(key)' does not exist, nor does its copy",
            hint: need + "\nhas a stanza-create been performed?"
                + "\nuse --stanza to name another stanza, --\(name)-path another repository.")
    }

    // MARK: Manifests

    /// The manifest of a backup, or its copy when that fails. `seal`: as backup.info has it.
    func manifest(_ label: BackupLabel, _ seal: Seal?) async throws(BackupError) -> Manifest {
        let key = layout.manifest(label)
        let manifest = try await repository.loadEither(key, log) { (key) throws(BackupError) in
            var reader = Manifest.Reader()
            let format = try await read(key, try seal.decryption()) { (section, key, value) throws(BackupError) in
                try reader.add(section, key, value)
            }
            return try reader.finish(in: seal, format: format)
        }
        guard let manifest else {
            throw BackupError(.fileMissing, "\(name): backup '\(label)' has no manifest '\(storage.location)/\(key)'")
        }
        guard manifest.label == label else {
            throw BackupError(.format, "\(name): manifest of backup '\(label)' says that it is of '\(manifest.label)'")
        }
        return manifest
    }

    private func text(_ manifest: Manifest) throws(BackupError) -> ManifestText {
        ManifestText(manifest, try sha1(), version: Program.formatVersion)
    }

    /// Saves only the copy: the backup is running, and can be told from a complete one by the missing main file.
    func saveUnfinished(_ manifest: Manifest, _ seal: Seal?) async throws(BackupError) {
        try requireWritten(manifest.format)
        var flow = try Flow(try text(manifest), Chain(try seal.encryption()))
        _ = try await storage.put(layout.manifest(manifest.label) + Layout.copySuffix, from: &flow, PutOptions())
    }

    /// Saves the final manifest: the copy, the main file, then the history (repository-format.md section 1.3).
    func save(_ manifest: Manifest, _ seal: Seal?) async throws(BackupError) {
        try manifest.checkTargets()
        try await saveUnfinished(manifest, seal)
        let key = layout.manifest(manifest.label)
        let proven = try await prove(manifest, key + Layout.copySuffix, seal)
        // A byte copy, as the field has it, and of the very bytes that were proven.
        let expect = Expect(try sha1())
        expect.next(digest: proven.description, size: nil)
        var copy = try Flow(try await storage.open(key + Layout.copySuffix), Chain([.tap(expect)]))
        _ = try await storage.put(key, from: &copy, PutOptions())

        let compression = Step.transform(try registry.codec("gz").open(6, .normal).encoder())
        var flow = try Flow(try text(manifest), Chain([compression] + (try seal.encryption())))
        _ = try await storage.put(layout.history(manifestOf: manifest.label), from: &flow, PutOptions())
    }

    /// What cannot be read back must not be called a backup: the stored text has to be that of `manifest`, in which every line holds its key
    /// (InfoFileWriter). Answers the sha1 of the stored form. Throws `.format`.
    private func prove(_ manifest: Manifest, _ key: Key, _ seal: Seal?) async throws(BackupError) -> Digest {
        let stored = try sha1()
        var found = try Flow(try await storage.open(key), Chain([.tap(stored)] + (try seal.decryption())))
        var wanted = try text(manifest)
        guard try await isSame(&found, &wanted) else {
            throw BackupError(.format, "'\(storage.location)/\(key)' does not hold the manifest that was written")
        }
        return stored.digest
    }

    /// Visits the entries of an info file, in portions. What was visited counts only when this returns, with the format of the file.
    private func read(
        _ key: Key, _ steps: [Step], _ visit: (_ section: String, _ key: String, _ value: JSON) throws(BackupError) -> Void
    ) async throws(BackupError) -> Int {
        var reader = InfoFileReader(try sha1())
        var flow = try Flow(try await storage.open(key), Chain(steps))
        var block = Block(capacity: BlockSize.standard)
        var goesOn = true
        while goesOn {
            block.clear()
            goesOn = try await block.fill(from: &flow)
            try block.withBytes { (bytes: RawSpan) throws(BackupError) in
                try reader.add(bytes.withUnsafeBytes { Array($0) }[...], visit)
            }
        }
        return try reader.finish(visit)
    }
}

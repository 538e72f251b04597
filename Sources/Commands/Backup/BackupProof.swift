// Whether the repository holds what a manifest says that was stored: names and sizes, before the backup counts.

import BackstopCore

/// Pure: a manifest against a listing of the backup's folder.
struct BackupProof {
    /// What has to be there, by key, with the bytes of the stored form.
    let expected: [Key: UInt64]

    /// Faults that are said one by one.
    private static let shown = 5

    /// `suffix`: of the codec that the backup was made with. Files that other backups hold are proven by those.
    init(_ manifest: Manifest, stanza: String, suffix: String) {
        let folder = Layout.backup(stanza, manifest.label)
        var expected: [Key: UInt64] = [:]
        expected.reserveCapacity(manifest.files.count)
        for file in manifest.files where file.reference == nil {
            if let bundle = file.bundle {
                let key = Layout.bundle(stanza, manifest.label, bundle)
                expected[key] = max(expected[key] ?? 0, file.bundleOffset + file.repositorySize)
            } else {
                expected[folder / (file.name + (file.blockMapSize != nil ? ".pgbi" : suffix))] = file.repositorySize
            }
        }
        self.expected = expected
    }

    /// What is missing or has another size, as sentences in the order of the names.
    func faults(_ stored: [Key: UInt64]) -> [String] {
        expected.sorted { $0.key < $1.key }.compactMap { key, size in
            guard let found = stored[key] else { return "'\(key)' is missing" }
            return found == size ? nil : "'\(key)' has \(found) bytes, \(size) were stored"
        }
    }

    /// Throws `.repoInvalid` with the first faults. One listing, however many files there are; what it lacks is asked for by its name, as a
    /// restore will: there are stores whose listings spell a name in another way (`\` as `/`).
    func run(_ label: String, _ repository: Repository, stanza: String) async throws(BackupError) {
        var stored: [Key: UInt64] = [:]
        stored.reserveCapacity(expected.count)
        try await repository.storage.list(Layout.backup(stanza, label), .all) { (entry) throws(BackupError) in
            if entry.kind == .file { stored[entry.key] = entry.size }
        }
        var gone = 0
        for key in expected.keys.filter({ stored[$0] == nil }).sorted() where gone < Self.shown {
            if let entry = try await repository.storage.stat(key) { stored[key] = entry.size } else { gone += 1 }
        }
        let faults = faults(stored)
        guard !faults.isEmpty else { return }
        throw BackupError(
            .repoInvalid,
            "\(repository.name) does not hold what was stored of backup \(label):\n" + faults.prefix(Self.shown).joined(separator: "\n")
                + (faults.count > Self.shown ? "\n… and \(faults.count - Self.shown) more" : ""),
            hint: "does another program work on this repository, or is a rule at work that removes objects? The backup is not listed.")
    }
}

// Whether the repository holds what a manifest says that was stored: names and sizes, before the backup counts.

import BackstopCore

/// Pure: a manifest against a listing of the backup's folder, which is told entry by entry.
struct BackupProof {
    private let files: [StoredFile]
    private let folder: Key
    /// Of the codec that the backup was made with.
    private let suffix: String
    /// Of each file: whether it was seen in the listing. Files that other backups hold are proven by those.
    private var isProven: [Bool]
    /// Bytes that each bundle has to have at least, and what it has.
    private var bundles: [Key: (wanted: UInt64, found: UInt64?)] = [:]
    /// Of what has another size, by name.
    private var wrong: [(key: Key, fault: String)] = []

    /// Faults that are said one by one.
    private static let shown = 5

    init(_ manifest: Manifest, _ layout: Layout, suffix: String) {
        files = manifest.files
        folder = layout.backup(manifest.label)
        self.suffix = suffix
        // Nothing is stored of what is empty and would be in a bundle or in blocks.
        isProven = files.map { file in
            file.reference != nil || file.bundle != nil || (file.size == 0 && (manifest.isBundled || file.blockSize > 0))
        }
        var sizes: [UInt64: UInt64] = [:]
        for file in files where file.reference == nil {
            guard let bundle = file.bundle else { continue }
            sizes[bundle] = max(sizes[bundle] ?? 0, file.bundleOffset + file.repositorySize)
        }
        for (bundle, size) in sizes { bundles[layout.bundle(manifest.label, bundle)] = (size, nil) }
    }

    /// One stored object of the backup.
    mutating func see(_ key: Key, _ size: UInt64) {
        if let bundle = bundles[key] {
            bundles[key]?.found = size
            if size != bundle.wanted { fault(key, "has \(size) bytes, \(bundle.wanted) were stored") }
            return
        }
        guard let index = index(of: key), !isProven[index] else { return }
        isProven[index] = true
        let wanted = files[index].repositorySize
        if size != wanted { fault(key, "has \(size) bytes, \(wanted) were stored") }
    }

    private mutating func fault(_ key: Key, _ text: String) { wrong.append((key, "'\(key)' \(text)")) }

    private func key(_ file: StoredFile) -> Key { folder / (file.name.text + (file.blockMapSize != nil ? Layout.blockSuffix : suffix)) }

    private func index(of key: Key) -> Int? {
        guard key.path.isBelow(folder.path) else { return nil }
        let name = key.path.droppingBytes(folder.path.utf8.count + 1)
        for ending in [suffix, Layout.blockSuffix] where name.hasBytesAtEnd(ending) {
            let wanted = ManifestName(String(decoding: name.utf8.dropLast(ending.utf8.count), as: UTF8.self))
            if let index = files.index(of: wanted), sameBytes(self.key(files[index]).path, key.path) { return index }
        }
        return nil
    }

    /// What the listing lacked, in the order of the names.
    var unseen: [Key] {
        (files.indices.lazy.filter { !isProven[$0] }.map { key(files[$0]) } + bundles.filter { $0.value.found == nil }.map(\.key)).sorted()
    }

    /// What is missing or has another size, as sentences in the order of the names.
    var faults: [String] {
        (unseen.map { (key: $0, fault: "'\($0)' is missing") } + wrong).sorted { $0.key < $1.key }.map(\.fault)
    }

    /// Throws `.repoInvalid` with the first faults. One listing, however many files there are; what it lacks is asked for by its name, as a
    /// restore will: there are stores whose listings spell a name in another way (`\` as `/`).
    mutating func run(_ label: BackupLabel, in repository: StanzaRepository) async throws(BackupError) {
        try await repository.storage.list(folder, .all) { (entry) throws(BackupError) in
            if entry.kind == .file { see(entry.key, entry.size) }
        }
        var gone = 0
        for key in unseen where gone < Self.shown {
            if let entry = try await repository.storage.stat(key) { see(key, entry.size) } else { gone += 1 }
        }
        let faults = faults
        guard !faults.isEmpty else { return }
        throw BackupError(
            .repoInvalid,
            "\(repository.name) does not hold what was stored of backup \(label):\n" + faults.prefix(Self.shown).joined(separator: "\n")
                + (faults.count > Self.shown ? "\n… and \(faults.count - Self.shown) more" : ""),
            hint: "does another program work on this repository, or is a rule at work that removes objects? The backup is not listed.")
    }
}

// Where things are in a repository (repository-format.md section 1.1).

import BackstopCore

/// The keys of one stanza.
struct Layout: Sendable {
    let stanza: String

    static let copySuffix = ".copy"
    /// What is being written; readers ignore it (repository-format.md section 1.3).
    /// Of a file that is stored in blocks and not in a bundle.
    static let blockSuffix = ".pgbi"
    static let temporarySuffix = ".pgbackrest.tmp"
    /// The format's own codecs by their suffix.
    static let codecs = [".gz": "gz", ".lz4": "lz4", ".zst": "zst", ".bz2": "bz2", ".xz": "xz"]
    /// The folders of all stanzas.
    static let roots = [Key("archive"), Key("backup")]

    var archive: Key { Self.roots[0] / stanza }
    var archiveInfo: Key { archive / "archive.info" }
    var backups: Key { Self.roots[1] / stanza }
    var backupInfo: Key { backups / "backup.info" }
    var latest: Key { backups / "latest" }
    var history: Key { backups / "backup.history" }

    func backup(_ label: BackupLabel) -> Key { backups / label.text }
    func manifest(_ label: BackupLabel) -> Key { backup(label) / "backup.manifest" }
    func bundle(_ label: BackupLabel, _ number: UInt64) -> Key { backup(label) / "bundle/\(number)" }

    /// The year is that of the full backup of the set.
    func history(manifestOf label: BackupLabel) -> Key { history / label.year / "\(label).manifest.gz" }

    /// `15-1`: version and history id.
    static func archiveID(_ version: PostgresVersion, id: Int) -> String { "\(version)-\(id)" }

    /// The folder of a file in the archive: names that begin with 24 hex digits go in a folder of their first 16.
    func archiveFolder(_ archiveID: String, of name: String) -> Key {
        let folder = archive / archiveID
        return Self.isInSegmentFolder(name) ? folder / name.prefix(16) : folder
    }

    private static func isInSegmentFolder(_ name: String) -> Bool {
        name.utf8.count >= 24 && name.utf8.prefix(24).allSatisfy { isUpperHexadecimal($0) }
    }
}

func isUpperHexadecimal(_ byte: UInt8) -> Bool { (48...57).contains(byte) || (65...70).contains(byte) }
func isLowerHexadecimal(_ byte: UInt8) -> Bool { (48...57).contains(byte) || (97...102).contains(byte) }

extension Key {
    /// The same name with a suffix.
    static func + (key: Key, suffix: String) -> Key { Key(key.path + suffix) }
}

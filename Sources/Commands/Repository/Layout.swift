// Where things are in a repository (repository-format.md section 1.1).

import BackstopCore

enum Layout {
    static let copySuffix = ".copy"
    /// What is being written; readers ignore it (repository-format.md section 1.3).
    static let temporarySuffix = ".pgbackrest.tmp"
    /// The format's own codecs by their suffix.
    static let codecs = [".gz": "gz", ".lz4": "lz4", ".zst": "zst", ".bz2": "bz2", ".xz": "xz"]

    static func archive(_ stanza: String) -> Key { Key("archive/\(stanza)") }
    static func archiveInfo(_ stanza: String) -> Key { archive(stanza) / "archive.info" }
    static func backups(_ stanza: String) -> Key { Key("backup/\(stanza)") }
    static func backupInfo(_ stanza: String) -> Key { backups(stanza) / "backup.info" }
    static func backup(_ stanza: String, _ label: String) -> Key { backups(stanza) / label }
    static func manifest(_ stanza: String, _ label: String) -> Key { backup(stanza, label) / "backup.manifest" }
    static func latest(_ stanza: String) -> Key { backups(stanza) / "latest" }

    static func history(_ stanza: String) -> Key { backups(stanza) / "backup.history" }

    /// The year is that of the full backup of the set.
    static func history(_ stanza: String, manifestOf label: String) -> Key {
        history(stanza) / label.prefix(4) / "\(label).manifest.gz"
    }

    static func bundle(_ stanza: String, _ label: String, _ number: UInt64) -> Key { backup(stanza, label) / "bundle/\(number)" }

    /// `15-1`: version and history id.
    static func archiveID(version: String, id: Int) -> String { "\(version)-\(id)" }

    /// The folder of a file in the archive: names that begin with 24 hex digits go in a folder of their first 16.
    static func archiveFolder(_ stanza: String, _ archiveID: String, of name: String) -> Key {
        let folder = archive(stanza) / archiveID
        return isInSegmentFolder(name) ? folder / name.prefix(16) : folder
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

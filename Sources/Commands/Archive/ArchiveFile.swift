// Finding files in a WAL archive (repository-format.md sections 1.1, 9.3 and 9.5).

import BackstopCore

/// One stored segment: where it is and the sha1 in its name.
struct ArchivedSegment: Sendable, Equatable {
    var key: Key
    var sha1: String
}

enum ArchiveFile {
    /// Segments (also partial ones) get a checksum in their name and are compressed; all else is stored as it is called.
    static func isSegment(_ name: String) -> Bool { WALFileName(name).segment != nil }

    /// All stored files of one segment: `<name>-<40 hex>` with any known suffix.
    static func find(
        _ name: String, _ repository: StanzaRepository, _ archiveID: String
    ) async throws(BackupError) -> [ArchivedSegment] {
        let folder = repository.layout.archiveFolder(archiveID, of: name)
        var found: [ArchivedSegment] = []
        try await repository.storage.list(folder, .names(beginningWith: "\(name)-")) { (entry) throws(BackupError) in
            if let sha1 = checksum(inName: entry.key.name, of: name, repository.registry) {
                found.append(ArchivedSegment(key: entry.key, sha1: sha1))
            }
        }
        return found.sorted { $0.key < $1.key }
    }

    /// The complete segments in one of the archive's folders of them, in the order of their names.
    static func segments(in folder: Key, _ repository: StanzaRepository) async throws(BackupError) -> [WALSegment] {
        var segments: Set<WALSegment> = []
        try await repository.storage.list(folder, .folder) { (entry) throws(BackupError) in
            let name = entry.key.name.prefix(24)
            if let segment = WALSegment(name), checksum(inName: entry.key.name, of: String(name), repository.registry) != nil {
                segments.insert(segment)
            }
        }
        return segments.sorted()
    }

    /// The sha1 when `file` is a stored form of the segment `name`.
    static func checksum(inName file: some StringProtocol, of name: String, _ registry: Registry) -> String? {
        guard file.hasPrefix(name + "-") else { return nil }
        let rest = file.dropFirst(name.count + 1)
        let sha1 = rest.prefix(40)
        guard sha1.utf8.count == 40, sha1.utf8.allSatisfy(isLowerHexadecimal) else { return nil }
        // Also those of codecs that plugins.conf does not allow: the segment is there, and saying that it is not would end a recovery.
        let suffix = rest.dropFirst(40)
        guard suffix.isEmpty || Layout.codecs[String(suffix)] != nil || registry.codecs.values.contains(where: { $0.suffix == suffix })
        else { return nil }
        return String(sha1)
    }
}

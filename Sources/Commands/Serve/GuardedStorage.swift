// A storage of which a client sees and does only what it may.

import BackstopCore

/// Refuses what is outside of one stanza, and what `access` does not allow.
struct GuardedStorage: Storage {
    private let base: any Storage
    private let stanza: String?
    private let mayRead: Bool
    private let mayWrite: Bool
    private let mayRemove: Bool
    /// Throws while nothing may be written on this host.
    private let checkStopped: @Sendable () throws(BackupError) -> Void

    /// `access`: `all`, `read` (nothing changes), `write` (nothing is removed, and of what is there only the info files are read).
    init(
        _ base: any Storage, stanza: String?, access: String, checkStopped: @escaping @Sendable () throws(BackupError) -> Void
    ) {
        self.base = base
        self.stanza = stanza
        self.checkStopped = checkStopped
        mayRead = access != "write"
        mayWrite = access != "read"
        mayRemove = access == "all"
    }

    var capabilities: Capabilities { base.capabilities }
    var location: String { base.location }
    var smallAtATime: Int { base.smallAtATime }

    // MARK: What is allowed

    private func denied(_ what: String, _ key: Key) -> BackupError {
        BackupError(.denied, "not allowed here: \(what) '\(key)'", hint: "'serve' was started with restrictions on its host.")
    }

    /// `archive/STANZA` and `backup/STANZA`; the folders above them may be looked at.
    private func check(_ what: String, _ key: Key, looksOnly: Bool = false) throws(BackupError) {
        guard let stanza else { return }
        let parts = key.path.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        let isAbove = key.isRoot || parts.count == 1 && (parts[0] == "archive" || parts[0] == "backup")
        let isInside = parts.count > 1 && (parts[0] == "archive" || parts[0] == "backup") && parts[1].utf8.elementsEqual(stanza.utf8)
        if !isInside && !(looksOnly && isAbove) { throw denied(what, key) }
    }

    /// What a writer has to read: the info files, the manifests of earlier backups, and timelines.
    private static func isInfo(_ key: Key) -> Bool {
        let name = key.name
        return name.hasPrefix("archive.info") || name.hasPrefix("backup.info") || name.hasPrefix("backup.manifest")
            || name.hasSuffix(".history")
    }

    // MARK: The contract

    func open(_ key: Key, range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable {
        try check("read", key)
        guard mayRead || Self.isInfo(key) else { throw denied("read", key) }
        return try await base.open(key, range: range)
    }

    func put<Source: ByteSource & ~Copyable>(
        _ key: Key, from source: inout Source, _ options: PutOptions
    ) async throws(BackupError) -> Entry {
        try check("write", key)
        guard mayWrite else { throw denied("write", key) }
        try checkStopped()
        return try await base.put(key, from: &source, options)
    }

    func stat(_ key: Key) async throws(BackupError) -> Entry? {
        try check("look at", key, looksOnly: true)
        return try await base.stat(key)
    }

    func list(_ prefix: Key, _ depth: Depth, _ visit: (Entry) throws(BackupError) -> Void) async throws(BackupError) {
        try check("list", prefix, looksOnly: depth != .all)
        try await base.list(prefix, depth) { (entry) throws(BackupError) in
            do throws(BackupError) {
                try check("list", entry.key, looksOnly: true)
            } catch {
                return
            }
            try visit(entry)
        }
    }

    func remove(_ key: Key) async throws(BackupError) {
        try check("remove", key)
        guard mayRemove else { throw denied("remove", key) }
        try checkStopped()
        try await base.remove(key)
    }

    func remove(_ keys: [Key]) async throws(BackupError) {
        for key in keys {
            try check("remove", key)
            guard mayRemove else { throw denied("remove", key) }
        }
        try checkStopped()
        try await base.remove(keys)
    }

    func sync(_ prefix: Key) async throws(BackupError) {
        try check("make durable", prefix, looksOnly: true)
        if mayWrite { try await base.sync(prefix) }
    }
}

// A storage of which a client sees and does only what it may.

import BackstopCore

/// Refuses what is outside of one stanza, and what `access` does not allow.
class GuardedStorage: Storage, @unchecked Sendable {
    // Not final, so the compiler does not see that all of it is constant.
    private let base: any Storage
    private let stanza: String?
    private let mayRead: Bool
    private let mayWrite: Bool
    fileprivate let mayRemove: Bool
    fileprivate var isUnlimited: Bool { stanza == nil && mayRead && mayRemove }
    /// Throws while nothing may be written on this host.
    private let checkStopped: @Sendable () throws(BackupError) -> Void

    /// `access`: `all`, `read` (nothing changes), `write` (nothing that is complete is removed or replaced, and of what is there only the
    /// info files are read).
    /// What guards a file tree is one too.
    static func guarding(
        _ base: any Storage, stanza: String?, access: String, checkStopped: @escaping @Sendable () throws(BackupError) -> Void
    ) -> GuardedStorage {
        if let tree = base as? any FileTree {
            return GuardedTree(tree, stanza: stanza, access: access, checkStopped: checkStopped)
        }
        return GuardedStorage(base, stanza: stanza, access: access, checkStopped: checkStopped)
    }

    fileprivate init(
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
    var readSize: Int? { base.readSize }

    // MARK: What is allowed

    fileprivate func denied(_ what: String, _ key: Key) -> BackupError {
        BackupError(.denied, "not allowed here: \(what) '\(key)'", hint: "'serve' was started with restrictions on its host.")
    }

    /// `archive/STANZA` and `backup/STANZA`; the folders above them may be looked at.
    fileprivate func check(_ what: String, _ key: Key, looksOnly: Bool = false) throws(BackupError) {
        guard let stanza else { return }
        let parts = key.path.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        let isAbove = key.isRoot || parts.count == 1 && (parts[0] == "archive" || parts[0] == "backup")
        let isInside = parts.count > 1 && (parts[0] == "archive" || parts[0] == "backup") && parts[1].utf8.elementsEqual(stanza.utf8)
        if !isInside && !(looksOnly && isAbove) { throw denied(what, key) }
    }

    fileprivate func checkWrite(_ what: String, _ key: Key) throws(BackupError) {
        try check(what, key)
        guard mayWrite else { throw denied(what, key) }
        try checkStopped()
    }

    fileprivate func checkRemove(_ key: Key) throws(BackupError) {
        try check("remove", key)
        guard mayRemove || mayWrite && ClientPath(key).isLease else { throw denied("remove", key) }
        try checkStopped()
    }

    // MARK: The contract

    func open(_ key: Key, range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable {
        try check("read", key)
        if !mayRead {
            // A link would be another file.
            guard ClientPath(key).isInfo, try await base.stat(key)?.kind ?? .file == .file else { throw denied("read", key) }
        }
        return try await base.open(key, range: range)
    }

    func put<Source: ByteSource & ~Copyable>(
        _ key: Key, from source: inout Source, _ options: PutOptions
    ) async throws(BackupError) -> Entry {
        try checkWrite("write", key)
        var options = options
        // Who may only add does not say who owns what is added, and who may change it.
        if !mayRemove { options.attributes = Attributes() }
        if !mayRemove, try await !mayReplace(key) {
            if base.capabilities.contains(.putIfAbsent) {
                options.ifAbsent = true
            } else if try await base.stat(key) != nil {
                throw denied("replace", key)
            }
        }
        return try await base.put(key, from: &source, options)
    }

    /// What has to be written again by who may only add: claims, the info files, and what belongs to a backup that is not complete yet.
    private func mayReplace(_ key: Key) async throws(BackupError) -> Bool {
        let path = ClientPath(key)
        if path.isStanzaInfo || path.isLease { return true }
        guard let backup = path.backup else { return false }
        return try await base.stat(backup / "backup.manifest") == nil
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
        try checkRemove(key)
        try await base.remove(key)
    }

    func remove(_ keys: [Key]) async throws(BackupError) {
        for key in keys { try checkRemove(key) }
        try await base.remove(keys)
    }

    func sync(_ prefix: Key) async throws(BackupError) {
        try check("make durable", prefix, looksOnly: true)
        if mayWrite { try await base.sync(prefix) }
    }
}

/// A file tree likewise.
private final class GuardedTree: GuardedStorage, FileTree, @unchecked Sendable {
    private let tree: any FileTree

    init(_ tree: any FileTree, stanza: String?, access: String, checkStopped: @escaping @Sendable () throws(BackupError) -> Void) {
        self.tree = tree
        super.init(tree, stanza: stanza, access: access, checkStopped: checkStopped)
    }

    func makeDirectory(_ key: Key, _ attributes: Attributes) async throws(BackupError) {
        try checkWrite("make folder", key)
        try await tree.makeDirectory(key, mayRemove ? attributes : Attributes())
    }

    func removeDirectory(_ key: Key) async throws(BackupError) {
        try checkRemove(key)
        try await tree.removeDirectory(key)
    }

    func link(_ key: Key, to target: String, _ kind: LinkKind) async throws(BackupError) {
        try checkWrite("link", key)
        // What is limited to a part of the storage could be left by a link to another part.
        guard isUnlimited || kind == .symbolic && ClientPath(key).isLink(to: target) else { throw denied("link to '\(target)'", key) }
        try await tree.link(key, to: target, kind)
    }

    func setAttributes(_ key: Key, _ attributes: Attributes) async throws(BackupError) {
        try checkRemove(key)
        try await tree.setAttributes(key, attributes)
    }
}

// A folder of a server that is reached by SFTP, as a storage.

internal import BackstopCore
internal import Synchronization

/// The files are those of a `PosixStorage`, so a repository can be read by either. An object appears under its name by a rename after all
/// its bytes were written and synced.
final class SFTPStorage: Storage {
    let settings: SFTPSettings
    let connections: SFTPConnections
    let log: Log
    let blocks = BlockPool()
    let capabilities: Capabilities
    /// What the server can do beyond the protocol.
    let syncs: Bool
    let replaces: Bool
    private let folders = Mutex(Folders())

    private struct Folders {
        /// Paths of those that were changed and not synced. Compared by their bytes.
        var unsynced: Set<Key> = []
        /// Those whose own names are durable, as those of all folders above them.
        var synced: Set<Key> = []
        /// Whether the server syncs folders, once that is known.
        var canSync: Bool?
    }

    /// Readers of a repository ignore names with this ending (repository-format.md section 1.3).
    static let temporarySuffix = ".pgbackrest.tmp"

    /// Connects, because the server says what it can.
    static func open(
        _ settings: SFTPSettings, _ log: Log, channel: @escaping SFTPConnections.Open
    ) async throws(BackupError) -> SFTPStorage {
        let connections = SFTPConnections(settings, log, open: channel)
        let (first, _) = try await connections.take()
        let storage = SFTPStorage(settings, connections, first.extensions, log)
        connections.give(back: first)
        return storage
    }

    private init(_ settings: SFTPSettings, _ connections: SFTPConnections, _ extensions: Set<String>, _ log: Log) {
        self.settings = settings
        self.connections = connections
        self.log = log
        capabilities = extensions.contains(SFTPSession.hardLink) ? .putIfAbsent : []
        syncs = extensions.contains(SFTPSession.fsync)
        replaces = extensions.contains(SFTPSession.posixRename)
        if !syncs {
            log.warn("\(settings.server) cannot be told to bring files to its disk: what is stored just before it loses power may be lost")
        }
        if !replaces {
            log.detail("\(settings.server) cannot replace a file in one step: while one is replaced it is missing for a moment")
        }
    }

    var location: String { settings.location }

    func shown(_ path: String) -> String { "sftp://\(settings.authority)\(path)" }

    // MARK: Reading

    func open(_ key: Key, range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable {
        let path = settings.path(key)
        let (session, pieces) = try await connections.begin { (session) throws(BackupError) in
            try SFTPSource.Pieces(session, path, shown(path), range)
        }
        return SFTPSource(self, session, pieces, shown(path))
    }

    func stat(_ key: Key) async throws(BackupError) -> Entry? {
        let path = settings.path(key)
        let result = try await connections.request { (session) throws(BackupError) in
            try session.attributes(of: path, follow: key.isRoot)
        }
        if case .refused(let status) = result, status.isMissing { return nil }
        let attributes = try result.get("get information on", shown(path))
        guard let kind = attributes.kind else { throw kindMissing(path) }
        return Self.entry(key, kind, attributes)
    }

    func list(_ prefix: Key, _ depth: Depth, _ visit: (Entry) throws(BackupError) -> Void) async throws(BackupError) {
        var folders = [prefix]
        while let folder = folders.popLast() {
            let entries = try await connections.request { (session) throws(BackupError) -> [Entry] in
                try self.entries(of: folder, depth, session)
            }
            for entry in entries {
                if depth == .all && entry.kind == .folder { folders.append(entry.key) }
                try visit(entry)
            }
        }
    }

    /// Requests for names that are under way at a time. Each is answered with as many as the server likes.
    private static let listAhead = 4

    private func entries(of folder: Key, _ depth: Depth, _ session: SFTPSession) throws(BackupError) -> [Entry] {
        let path = settings.path(folder)
        let opened = try session.handle(try session.send(.opendir, path))
        if case .refused(let status) = opened, status.isMissing { return [] }
        let handle = try opened.get("list", shown(path))
        defer { session.close(handle) }
        var entries: [Entry] = []
        var asked: [UInt32] = []
        while true {
            while asked.count < Self.listAhead { asked.append(try session.send(.readdir, handle: handle)) }
            switch try session.answer(asked.removeFirst()) {
            case .names(let names):
                for name in names {
                    guard let entry = try entry(name, in: folder, depth, session) else { continue }
                    entries.append(entry)
                }
            case .status(let status) where status.code == SFTPStatus.end: return entries
            case .status(let status) where !status.isOK: throw status.error("list", shown(path))
            default: throw session.unexpected()
            }
        }
    }

    private func entry(_ name: SFTPName, in folder: Key, _ depth: Depth, _ session: SFTPSession) throws(BackupError) -> Entry? {
        if name.name == [UInt8(ascii: ".")] || name.name == Array("..".utf8) { return nil }
        let path = settings.path(folder)
        let text = FileName.text(name.name)
        guard !text.isEmpty, !text.utf8.contains(UInt8(ascii: "/")), !text.utf8.contains(0) else {
            throw session.broken("lists in '\(path)' what is no name")
        }
        let key = folder / text
        guard depth.includes(key) else { return nil }
        if let kind = name.attributes.kind { return Self.entry(key, kind, name.attributes) }
        // A server that tells nothing in lists is asked for each.
        let asked = try session.attributes(of: settings.path(key), follow: false)
        if case .refused(let status) = asked, status.isMissing { return nil }
        let attributes = try asked.get("get information on", shown(settings.path(key)))
        guard let kind = attributes.kind else { throw kindMissing(settings.path(key)) }
        return Self.entry(key, kind, attributes)
    }

    private func kindMissing(_ path: String) -> BackupError {
        BackupError(.unsupported, "\(settings.server) does not tell whether '\(path)' is a file or a folder")
    }

    private static func entry(_ key: Key, _ kind: Entry.Kind, _ attributes: SFTPAttributes) -> Entry {
        Entry(key: key, kind: kind, size: kind == .file ? attributes.size ?? 0 : 0, modified: attributes.modified ?? 0)
    }

    // MARK: Writing

    func put<Source: ByteSource & ~Copyable>(
        _ key: Key, from source: inout Source, _ options: PutOptions
    ) async throws(BackupError) -> Entry {
        if options.ifAbsent, !capabilities.contains(.putIfAbsent) {
            throw BackupError(
                .unsupported, "unable to put '\(shown(settings.path(key)))' only if it is absent: the server has no hard links")
        }
        var put = SFTPPut(self, key, options)
        return try await put.run(from: &source)
    }

    func remove(_ key: Key) async throws(BackupError) { try await remove([key]) }

    func remove(_ keys: [Key]) async throws(BackupError) {
        if keys.isEmpty { return }
        try await connections.request { (session) throws(BackupError) in
            var rest = keys[...]
            var asked: [(path: String, id: UInt32)] = []
            while !rest.isEmpty || !asked.isEmpty {
                while asked.count < SFTPSession.window, let key = rest.popFirst() {
                    let path = settings.path(key)
                    asked.append((path, try session.send(.remove, path)))
                }
                let (path, id) = asked.removeFirst()
                let status = try session.status(id)
                guard status.isOK || status.isMissing else {
                    session.forgetAnswers()
                    throw status.error("remove", shown(path), denied: .fileRemove)
                }
            }
            try prune(Set(keys.map(\.parent)), session)
        }
    }

    /// A storage is no tree: a folder is there while something is in it.
    private func prune(_ folders: Set<Key>, _ session: SFTPSession) throws(BackupError) {
        for folder in folders.sorted(by: { $0.path.utf8.count > $1.path.utf8.count }) {
            note(changed: settings.path(folder))
            var folder = folder
            while !folder.isRoot, try session.removeFolder(settings.path(folder)).isOK {
                folder = folder.parent
                note(changed: settings.path(folder))
            }
        }
    }

    // MARK: Folders

    /// Creates the folder and the missing ones above it.
    func makeFolders(_ path: String, _ session: SFTPSession) throws(BackupError) {
        let mode = PosixStorage.Modes.repository.folder
        var status = try session.makeFolder(path, mode: mode)
        if status.isMissing, path != "/" {
            try makeFolders(parentPath(path), session)
            status = try session.makeFolder(path, mode: mode)
        }
        if status.isOK {
            folders.withLock { _ = $0.synced.remove(Key(path)) }
            return note(changed: parentPath(path))
        }
        // Which error means that it is there already, servers do not agree upon.
        let found = try session.attributes(of: path, follow: true)
        if case .done(let attributes) = found {
            if attributes.kind == .folder { return }
            throw BackupError(.pathCreate, "unable to create path '\(shown(path))': a file of that name exists")
        }
        throw status.error("create path", shown(path), denied: .pathCreate, otherwise: .pathCreate)
    }

    func note(changed folder: String) { folders.withLock { _ = $0.unsynced.insert(Key(folder)) } }

    func sync(_ prefix: Key) async throws(BackupError) {
        let changed = folders.withLock { $0.unsynced }.union([Key(settings.path(prefix))])
        try await connections.request { (session) throws(BackupError) in
            for folder in changed.sorted() { try sync(folder: folder.path, session) }
            try syncAbove(prefix, session)
        }
    }

    /// Makes the names of the folders above durable, once: a killed process may have left them without.
    func syncAbove(_ folder: Key, _ session: SFTPSession) throws(BackupError) {
        var folder = folder
        while !folder.isRoot {
            let path = settings.path(folder)
            if folders.withLock({ $0.synced.contains(Key(path)) }) { return }
            folder = folder.parent
            try sync(folder: settings.path(folder), session)
            folders.withLock { _ = $0.synced.insert(Key(path)) }
        }
    }

    /// Makes the names in a folder durable. The protocol has no word for that, but OpenSSH's server opens a folder like a file and
    /// syncs it; another server says no to the first one, and then there is nothing to be had.
    func sync(folder: String, _ session: SFTPSession) throws(BackupError) {
        guard syncs, folders.withLock({ $0.canSync }) != false else { return }
        folders.withLock { _ = $0.unsynced.remove(Key(folder)) }
        do throws(BackupError) {
            let status: SFTPStatus
            switch try session.open(folder, .read) {
            case .refused(let refusal):
                if refusal.isMissing { return }
                status = refusal
            case .done(let handle):
                defer { session.close(handle) }
                status = try waitingLong(session) { (session) throws(BackupError) in try session.status(try session.sendSync(handle)) }
            }
            if status.isOK {
                folders.withLock { $0.canSync = true }
            } else if folders.withLock({ $0.canSync }) == true {
                throw status.error("sync", shown(folder), otherwise: .fileWrite)
            } else {
                folders.withLock { $0.canSync = false }
                log.detail("\(settings.server) does not sync folders: what is stored just before it loses power may lack its name")
            }
        } catch {
            note(changed: folder)
            throw error
        }
    }

    /// A server's disk may take its time.
    func waitingLong<Result>(
        _ session: SFTPSession, _ body: (SFTPSession) throws(BackupError) -> Result
    ) throws(BackupError) -> Result {
        session.channel.patience = settings.answerTimeout
        defer { session.channel.patience = settings.timeout }
        return try body(session)
    }
}

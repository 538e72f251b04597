// The contract of every driver: bytes under a name, all or nothing.

/// A place that keeps bytes under names.
///
/// What holds for every storage, and what the conformance suite checks:
/// - `put` is all or nothing: a reader sees the old bytes or the new bytes, never a part. When the source or the storage fails, or the
///   process dies, the key is as before. Unless told otherwise the bytes are durable when `put` returns.
/// - What was put is seen at once by `open`, `stat` and `list`.
/// - A range is exact: `lo..<hi` gives `hi - lo` bytes, or as many as there are after `lo`.
/// - Removing what is missing succeeds. Removing a folder is not asked of a `Storage`; a folder exists while something is in it.
/// - Any number of calls may be under way at a time.
public protocol Storage: Sendable {
    var capabilities: Capabilities { get }

    /// What people know the place by, for messages: a path, a bucket.
    var location: String { get }

    /// How many requests for small objects are worth having under way at a time: 1 where a call takes the time of its work, or where a second
    /// request would need another connection; more where most of a call is waiting for a server.
    var smallAtATime: Int { get }

    /// Bytes that one request reads at most, where reading is by requests that cost something each; nil elsewhere.
    var readSize: Int? { get }

    /// The bytes of `key`. `.notFound` when it does not exist; nothing is promised of a folder.
    func open(_ key: Key, range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable

    /// Replaces or creates `key` with all the bytes of `source`. Answers what is now stored.
    func put<Source: ByteSource & ~Copyable>(_ key: Key, from source: inout Source, _ options: PutOptions) async throws(BackupError)
        -> Entry

    /// nil when `key` does not exist.
    func stat(_ key: Key) async throws(BackupError) -> Entry?

    /// Visits what is below the folder `prefix`, in no promised order; nothing when it does not exist. Keys are whole (they begin with
    /// `prefix`). Folders are visited by `.folder` and `.names` listings of every storage; by `.all` only where they are entries of their
    /// own.
    func list(_ prefix: Key, _ depth: Depth, _ visit: (Entry) throws(BackupError) -> Void) async throws(BackupError)

    /// One that is missing is no error.
    func remove(_ key: Key) async throws(BackupError)

    /// Removes many, in fewer requests where the storage can. Those that come after an error may stay.
    func remove(_ keys: [Key]) async throws(BackupError)

    /// Makes durable all that was put below `prefix` to be durable by sync.
    func sync(_ prefix: Key) async throws(BackupError)
}

/// A storage that is also a place where PostgreSQL can live (PGDATA, tablespaces): folders, links and attributes are things of their own.
public protocol FileTree: Storage {
    /// Creates the folder and those above it; an existing one is left as it is but for the attributes given.
    func makeDirectory(_ key: Key, _ attributes: Attributes) async throws(BackupError)
    /// Removes an empty folder; a missing one is no error.
    func removeDirectory(_ key: Key) async throws(BackupError)
    /// `target`: the text of a symbolic link, or the key of the file that gets a second name. `.alreadyExists` when `key` exists; `.unsupported`
    /// when the tree has no such links.
    func link(_ key: Key, to target: String, _ kind: LinkKind) async throws(BackupError)
    /// Sets what is not nil; of a link, its own. `.notFound` when `key` does not exist, `.denied` for an owner that this user may not set.
    func setAttributes(_ key: Key, _ attributes: Attributes) async throws(BackupError)
}

/// A storage in which a run that is killed may leave parts of objects that it was putting.
public protocol UploadingStorage: Storage {
    /// What is unfinished now, that of running commands included.
    func unfinishedUploads(_ prefix: Key) async throws(BackupError) -> [UnfinishedUpload]
    /// Gives its room back. One that has ended meanwhile is no error.
    func abort(_ upload: UnfinishedUpload) async throws(BackupError)
}

extension Storage {
    public var smallAtATime: Int { 1 }
    public var readSize: Int? { nil }

    /// The whole object.
    public func open(_ key: Key) async throws(BackupError) -> any ByteSource & ~Copyable { try await open(key, range: nil) }

    /// The whole object in memory; for info files and the like. `.notFound` when missing; `.corrupt` when larger than `limit` bytes.
    public func read(_ key: Key, limit: Int = 1 << 31) async throws(BackupError) -> [UInt8] {
        var source = try await open(key)
        return try await source.readAll(limit: limit)
    }

    @discardableResult
    /// An object that is in memory.
    public func put(_ key: Key, bytes: [UInt8], _ options: PutOptions = PutOptions()) async throws(BackupError) -> Entry {
        var source = BytesSource(bytes)
        return try await put(key, from: &source, options)
    }

    /// The listing as a list in byte order of the keys.
    public func list(_ prefix: Key, _ depth: Depth = .folder) async throws(BackupError) -> [Entry] {
        var entries: [Entry] = []
        try await list(prefix, depth) { (entry) throws(BackupError) in entries.append(entry) }
        return entries.sorted { $0.key < $1.key }
    }

    public func remove(_ keys: [Key]) async throws(BackupError) {
        for key in keys { try await remove(key) }
    }

    /// Removes everything below `prefix`, the folders too where they are entries of their own.
    public func removeAll(_ prefix: Key) async throws(BackupError) {
        let entries = try await list(prefix, .all)
        try await remove(entries.filter { $0.kind != .folder }.map(\.key))
        if let tree = self as? any FileTree {
            for entry in entries.reversed() where entry.kind == .folder { try await tree.removeDirectory(entry.key) }
            try await tree.removeDirectory(prefix)
        }
    }
}

// The files of a cluster for a client that backs it up.

import BackstopCore

/// The file system of this host, of which only the data directory and what its links lead to can be read, and nothing changed.
struct ReadOnlyCluster: Storage {
    private let base: any FileTree
    private let data: Key

    init(_ base: any FileTree, path: String) {
        self.base = base
        data = Key(absolute: path)
    }

    var capabilities: Capabilities { base.capabilities }
    var location: String { base.location }

    private func check(_ key: Key) throws(BackupError) {
        guard key == data || key.path.isBelow(data.path) else { throw Self.denied("'/\(key)' is not in the data directory of the cluster") }
    }

    private static func denied(_ what: String) -> BackupError { BackupError(.denied, "not allowed here: \(what)") }

    func open(_ key: Key, range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable {
        try check(key)
        return try await base.open(key, range: range)
    }

    /// Of anything: where the links of the cluster lead is looked at by its path.
    func stat(_ key: Key) async throws(BackupError) -> Entry? { try await base.stat(key) }

    func list(_ prefix: Key, _ depth: Depth, _ visit: (Entry) throws(BackupError) -> Void) async throws(BackupError) {
        try check(prefix)
        try await base.list(prefix, depth, visit)
    }

    func put<Source: ByteSource & ~Copyable>(
        _ key: Key, from source: inout Source, _ options: PutOptions
    ) async throws(BackupError) -> Entry { throw Self.denied("the files of a cluster are not changed from another host") }

    func remove(_ key: Key) async throws(BackupError) {
        throw Self.denied("the files of a cluster are not removed from another host")
    }

    func sync(_ prefix: Key) async throws(BackupError) {}
}

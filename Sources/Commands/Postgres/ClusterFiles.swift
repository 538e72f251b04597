// The folder of a cluster: what commands ask of it without a running server.

import BackstopCore

struct ClusterFiles: Sendable {
    /// As in `pg1-…`.
    let index: Int
    let path: String
    let tree: any FileTree
    /// The whole file system that the cluster is in.
    let root: any FileTree
    /// Where it is, when that is not this host.
    let host: (any FarHost)?
    private let forced: PostgresVersion?

    /// A cluster of this host. `path`: PGDATA.
    init(_ context: RunContext, path: String) throws(BackupError) {
        self.path = path
        index = 1
        tree = context.openTree(path)
        root = context.openTree("")
        host = nil
        forced = try context.forcedVersion()
    }

    /// The cluster with that index, here or on the host that `pgN-host` names. `locks`: what is to be locked there.
    init(_ context: RunContext, _ index: Int, locks: HostLocks? = nil) throws(BackupError) {
        let options = context.options
        self.index = index
        path = try options.required(PostgresOptions.path, index)
        forced = try context.forcedVersion()
        guard options.isGiven(ClusterHostOptions.host, index) else {
            host = nil
            tree = context.openTree(path)
            root = context.openTree("")
            return
        }
        let host = try context.openHost(options, index, context.driverContext(locks: locks), ClusterAddress.wire(options, index))
        self.host = host
        tree = host.tree(path)
        root = host.tree("")
    }

    var name: String { "pg\(index)" }

    /// For a stanza that belongs to another cluster.
    static let otherClusterHint =
        "is this the correct stanza, and pg1-path the right cluster?\nhas the cluster been upgraded or made anew? Use a new stanza for it: this"
        + " version has no stanza-upgrade (pgBackRest's works on this repository)."

    func connect(_ context: RunContext) throws(BackupError) -> any DatabaseSession {
        if let host { return try FarDatabase(host) }
        return try Connection(Connection.Settings(context, index))
    }

    func exists(_ name: String) async throws(BackupError) -> Bool { try await tree.stat(Key(name)) != nil }

    /// A server runs, or did not end cleanly.
    func isRunning() async throws(BackupError) -> Bool { try await exists("postmaster.pid") }

    static let controlName = "global/pg_control"

    func control() async throws(BackupError) -> ControlFile {
        do throws(BackupError) {
            return try await ControlFile.read(forced: forced) { () async throws(BackupError) in
                var source = try await tree.open(Key(Self.controlName), range: 0..<UInt64(ControlFile.byteCount))
                return try await source.readAll()
            }
        } catch  where error.code == .notFound {
            throw BackupError(
                .fileMissing, "unable to open missing file '\(path)/\(Self.controlName)' for read",
                hint: "is \(name)-path the data directory of a PostgreSQL cluster?")
        } catch {
            throw error.during("'\(path)/\(Self.controlName)'")
        }
    }
}

extension RunContext {
    /// `pg-version-force`, for forks whose version numbers are unknown.
    func forcedVersion() throws(BackupError) -> PostgresVersion? {
        guard let text = options[PostgresOptions.versionForce] else { return nil }
        return try PostgresVersion(text)
    }
}

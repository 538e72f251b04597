// The folder of a cluster: what commands ask of it without a running server.

import BackstopCore

struct ClusterFiles: Sendable {
    let tree: any FileTree
    let path: String
    private let forced: PostgresVersion?

    /// `path`: PGDATA.
    init(_ context: RunContext, path: String) throws(BackupError) {
        self.path = path
        tree = context.openTree(path)
        forced = try context.forcedVersion()
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
                hint: "is pg1-path the data directory of a PostgreSQL cluster?")
        } catch {
            throw error.during("'\(path)/\(Self.controlName)'")
        }
    }
}

extension RunContext {
    /// `pg-version-force`, for forks whose version numbers are unknown.
    func forcedVersion() throws(BackupError) -> PostgresVersion? {
        guard let text = options.string("pg-version-force") else { return nil }
        return try PostgresVersion(text)
    }
}

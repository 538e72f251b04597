// What a backup will hold, and whether it can: the same for `backup`, which copies it, and for `check`, which does not.

import BackstopCore

enum ClusterList {
    /// Fills the lists of `manifest`, which brings everything else. Throws whatever a backup would be refused for: names that a manifest
    /// cannot hold, links and places that do not fit together, files that may not be read.
    static func fill(
        _ manifest: Manifest, _ cluster: ClusterFiles, _ session: OnlineSession?, _ control: ControlFile, _ context: RunContext
    ) async throws(BackupError) -> Manifest {
        var manifest = manifest
        var tablespaces: [String: String] = [:]
        if let session {
            for tablespace in try session.connection.tablespaces() { tablespaces["\(tablespace.oid)"] = tablespace.name }
            manifest.databases = try session.connection.databases().map {
                Manifest.Database(name: $0.name, id: UInt64($0.oid), lastSystemID: UInt64($0.lastSystemOID))
            }
            for database in manifest.databases where database.name.utf8.contains(10) {
                throw BackupError(
                    .invalid, "database '\(database.name)' (\(database.id)) has a line feed in its name, which a manifest cannot hold",
                    hint: "rename it: alter database ... rename to ...")
            }
        }
        manifest = try await ClusterWalk.fill(manifest, cluster, control: control, tablespaces: tablespaces, context)
        guard manifest.files.contains(where: { $0.name == "\(Manifest.dataName)/\(ClusterFiles.controlName)" }) else {
            throw BackupError(
                .fileMissing, "pg_control must be present in all online backups",
                hint: "is something wrong with the clock or filesystem timestamps?")
        }
        if cluster.host == nil { try PlacesOfThisHost.check(manifest, context) }
        try await ReadableFiles.check(manifest, cluster, context)
        return manifest
    }
}

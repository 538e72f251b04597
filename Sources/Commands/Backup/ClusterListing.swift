// What a cluster consists of at one moment, before anything is decided about it.

import BackstopCore

/// One file as it was listed.
struct ListedFile: Sendable {
    let name: ManifestName
    /// Bytes.
    let size: UInt64
    /// Unix seconds.
    let modified: Int64
    let attributes: FileAttributes
}

struct ClusterListing: Sendable {
    var places = ClusterPlaces()
    /// In byte order of the names.
    var files: [ListedFile] = []
    /// From the server, so empty offline.
    var databases: [Manifest.Database] = []
    /// What is left out although nobody asked for that.
    var warnings: [String] = []

    static let control = ManifestName("\(Manifest.dataName)/\(ClusterFiles.controlName)")

    /// Lists a cluster: the same for `backup`, which copies it, and for `check`, which does not. Throws whatever a backup would be refused for:
    /// names that a manifest cannot hold, links and places that do not fit together, files that may not be read.
    static func make(
        _ cluster: ClusterFiles, _ session: OnlineSession?, _ control: ControlFile, _ context: RunContext
    ) async throws(BackupError) -> ClusterListing {
        var tablespaces: [String: String] = [:]
        var databases: [Manifest.Database] = []
        if let session {
            for tablespace in try session.connection.tablespaces() { tablespaces["\(tablespace.oid)"] = tablespace.name }
            databases = try session.connection.databases().map {
                Manifest.Database(name: $0.name, id: UInt64($0.oid), lastSystemID: UInt64($0.lastSystemOID))
            }
            for database in databases where database.name.utf8.contains(10) {
                throw BackupError(
                    .invalid, "database '\(database.name)' (\(database.id)) has a line feed in its name, which a manifest cannot hold",
                    hint: "rename it: alter database ... rename to ...")
            }
        }
        let rules = ExcludedFiles(version: control.version, online: session != nil, excludes: context.options[BackupOptions.exclude])
        var listing = try await ClusterWalk.list(
            cluster, rules, tablespaceFolder: control.version.tablespaceFolder(catalogVersion: control.catalogVersion),
            tablespaces: tablespaces)
        listing.databases = databases.sorted { bytewiseLess($0.name, $1.name) }
        for warning in listing.warnings { context.log.warn(warning) }
        guard listing.files.contains(where: { $0.name == Self.control }) else {
            throw BackupError(
                .fileMissing, "pg_control must be present in all online backups",
                hint: "is something wrong with the clock or filesystem timestamps?")
        }
        if cluster.host == nil { try PlacesOfThisHost.check(listing.places, context) }
        let user = cluster.host == nil ? currentUser() : context.options[ClusterHostOptions.user, cluster.index]
        try await ReadableFiles(user: user, group: listing.places.dataFolder?.owner.group).check(listing.files, cluster)
        return listing
    }
}

// What a backup copies, and how: decided from the listing alone.

import BackstopCore

/// A file that is going to be copied.
struct PlannedFile: Sendable {
    let file: ListedFile
    /// Its pages carry checksums, which are looked at.
    let checksPages: Bool
    /// Read up to the size it had when it was listed: WAL replay brings what was added later (repository-format.md section 3.7).
    let isCut: Bool

    var name: ManifestName { file.name }
    var size: UInt64 { file.size }
    /// pg_control changes while it is read: it is read until its checksum is right.
    var isControl: Bool { name.isEqual(to: ClusterListing.controlName) }
}

struct BackupPlan: Sendable {
    enum Job: Sendable {
        case file(PlannedFile)

        /// Bytes of the cluster.
        var size: UInt64 {
            switch self {
            case .file(let file): file.size
            }
        }

        /// Of its first file.
        var name: ManifestName {
            switch self {
            case .file(let file): file.name
            }
        }
    }

    /// The largest first, so that no worker begins with it when the others have ended.
    let jobs: [Job]
    /// Bytes of the cluster.
    let totalSize: UInt64
    /// Whether pages are checked at all.
    let checksPages: Bool
    /// Files may look unchanged to a later backup that are not: it must go by checksums.
    let needsDelta: Bool
    let warnings: [String]

    /// `hasPageChecksums`: whether the cluster was made with them. `listed`: the second of the listing, Unix seconds by the clock of the server.
    init(_ listing: ClusterListing, _ policy: BackupPolicy, _ version: PostgresVersion, hasPageChecksums: Bool, listed: Int64) {
        var warnings: [String] = []
        if policy.checksPages == true, !hasPageChecksums {
            warnings.append("checksum-page option set to true but checksums are not enabled on the cluster, resetting to false")
        }
        let checksPages = hasPageChecksums && (policy.checksPages ?? policy.isOnline)
        let late = listing.files.first { $0.modified > listed }
        if let late {
            warnings.append("file '\(late.name)' has timestamp (\(late.modified)) in the future, enabling delta checksum")
        }
        let cut = Self.foldersOfRelations(version)
        var (known, isCut) = (listing.files.first?.name.folder, false)
        if let known { isCut = cut(known.path) }
        var jobs: [Job] = []
        jobs.reserveCapacity(listing.files.count)
        for file in listing.files {
            // Most files are in the folder of the one before.
            if file.name.folder !== known {
                known = file.name.folder
                isCut = known.map { cut($0.path) } ?? false
            }
            let hasPages = checksPages && DatabasePath.hasPages(file.name.text)
            jobs.append(.file(PlannedFile(file: file, checksPages: hasPages, isCut: isCut)))
        }
        jobs.sort { ($0.size, $1.name) > ($1.size, $0.name) }
        self.jobs = jobs
        totalSize = listing.files.reduce(0) { $0 + $1.size }
        self.checksPages = checksPages
        needsDelta = late != nil
        self.warnings = warnings
    }

    /// Whether files of a folder are written by WAL replay.
    private static func foldersOfRelations(_ version: PostgresVersion) -> (String) -> Bool {
        let folders = ["base", "global", version.transactionFolder, "pg_multixact"].map { "\(Manifest.dataName)/\($0)" }
        return { folder in
            folder.isBelow(Manifest.tablespaceName) || sameBytes(folder, Manifest.tablespaceName)
                || folders.contains { sameBytes(folder, $0) || folder.isBelow($0) }
        }
    }
}

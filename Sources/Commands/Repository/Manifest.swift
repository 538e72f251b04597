// backup.manifest: everything a backup holds and where its bytes are (repository-format.md section 4).

import BackstopCore

struct Manifest: Sendable {
    /// Names of the manifest: `pg_data/base/5/1259`, `pg_tblspc/16400/PG_15_202209061/5/16401`.
    struct File: Sendable {
        var name: String
        /// Bytes of the content as stored.
        var size: UInt64
        /// Bytes when the list was made.
        var originalSize: UInt64
        /// Modification time, Unix seconds.
        var timestamp: Int64
        var mode: UInt32
        var owner: Owner
        /// sha1 of the content; nil for an empty file and while it is not copied yet.
        var checksum: SHA1Value?
        /// sha1 of the stored form, where it differs from the content.
        var repositoryChecksum: SHA1Value?
        /// Bytes of the stored form.
        var repositorySize: UInt64 = 0
        /// Index into `references` of the backup that holds the bytes; nil: this one.
        var reference: Int?
        /// Nil: not in a bundle.
        var bundle: UInt64?
        var bundleOffset: UInt64 = 0
        /// Bytes of a block of a block-incremental file; 0: none.
        var blockSize: UInt64 = 0
        /// Bytes of a block checksum.
        var blockChecksumSize = 6
        /// Stored bytes of the block map; nil: stored whole.
        var blockMapSize: UInt64?
        /// Nil: pages are not checked; false: some are wrong.
        var pagesValid: Bool?
        var pageErrors: [ClosedRange<UInt32>] = []
    }

    /// nil: the id has no name on the host of the backup.
    struct Owner: Sendable, Hashable {
        var user: String?
        var group: String?
    }

    struct Path: Sendable {
        var name: String
        var mode: UInt32
        var owner: Owner
    }

    struct Link: Sendable {
        var name: String
        var destination: String
        var owner: Owner
    }

    struct Target: Sendable {
        var name: String
        var path: String
        /// Base name, for a link to a file.
        var file: String?
        var isLink: Bool
        var tablespace: (id: String, name: String)?
    }

    struct Database: Sendable {
        var name: String
        var id: UInt64
        var lastSystemID: UInt64
    }

    /// The section [backup:option]: what the backup was made with, as it was.
    struct Settings: Sendable {
        var archiveCheck = false
        var archiveCopy = false
        var standby = false
        var bufferSize: Int64 = 1 << 20
        var checksumPage = false
        var compressType = "none"
        var compressLevel: Int64 = 0
        var compressLevelNetwork: Int64 = 0
        var delta = false
        var hardlink = false
        var online = false
        var processMax: Int64 = 1
    }

    var label = ""
    var type = BackupType.full
    var prior: String?
    /// Labels whose folders hold bytes of this backup; the last is the backup itself.
    var references: [String] = []
    var timestampStart: Int64 = 0
    var timestampCopyStart: Int64 = 0
    var timestampStop: Int64 = 0
    var archiveStart: String?
    var archiveStop: String?
    var lsnStart: String?
    var lsnStop: String?
    var isBundled = false
    var isBundledRaw = false
    var isBlockIncremental = false

    /// The cluster: history id, system id, versions.
    var database: DatabaseHistory.Database
    var settings = Settings()
    var targets: [Target] = []
    var databases: [Database] = []
    var annotations: [String: String] = [:]
    /// Of the files; nil when the repository is not encrypted.
    var seal: Seal?
    /// Each list in byte order of the names.
    var files: [File] = []
    var paths: [Path] = []
    var links: [Link] = []

    var dataPath: String { targets.first { $0.name == Self.dataName }?.path ?? "" }

    static let dataName = "pg_data"
    static let tablespaceName = "pg_tblspc"

    /// Relative to PGDATA, for people.
    static func shown(_ name: String) -> String { clusterKey(name).path }

    /// The mode and owner of PGDATA, from which the defaults and those of generated files follow.
    var dataFolder: Path? { paths.first { $0.name == Self.dataName } }

    var hasPageErrors: Bool { files.contains { $0.pagesValid == false } }

    mutating func sort() {
        files.sort { bytewiseLess($0.name, $1.name) }
        paths.sort { bytewiseLess($0.name, $1.name) }
        links.sort { bytewiseLess($0.name, $1.name) }
        targets.sort { bytewiseLess($0.name, $1.name) }
        databases.sort { bytewiseLess($0.name, $1.name) }
    }

    /// Index of the file with this name; the list must be sorted.
    func fileIndex(_ name: String) -> Int? {
        var low = 0
        var high = files.count
        while low < high {
            let middle = (low + high) / 2
            if bytewiseLess(files[middle].name, name) { low = middle + 1 } else { high = middle }
        }
        return low < files.count && sameBytes(files[low].name, name) ? low : nil
    }
}

extension Manifest {
    /// Where the bytes of a file are stored and how they are framed (repository-format.md section 4.4).
    struct Location: Sendable {
        var key: Key
        /// Nil: the whole file.
        var range: Range<UInt64>?
        var framing: Framing
    }

    /// Nil for an empty file: nothing is stored that needs to be read.
    func location(of file: File, stanza: String, suffix: String) -> Location? {
        if file.size == 0 { return nil }
        let label = file.reference.map { references[$0] } ?? label
        if let bundle = file.bundle {
            let range = file.bundleOffset..<file.bundleOffset + file.repositorySize
            return Location(
                key: Layout.bundle(stanza, label, bundle), range: range,
                framing: isBundledRaw || file.blockMapSize != nil ? .raw : .normal)
        }
        let ending = file.blockMapSize != nil ? ".pgbi" : suffix
        return Location(
            key: Layout.backup(stanza, label) / (file.name + ending), range: nil, framing: file.blockMapSize != nil ? .raw : .normal)
    }

    /// Sums over the files for backup.info and for progress.
    var totalSize: UInt64 { files.reduce(0) { $0 + $1.size } }
}

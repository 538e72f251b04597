// backup.manifest: everything a backup holds and where its bytes are (repository-format.md section 4).

import BackstopCore

struct Manifest: Sendable {
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

    /// Of the file and of the backup.
    var format = RepositoryFormat.written
    var label: BackupLabel
    var type = BackupType.full
    var prior: BackupLabel?
    /// Labels whose folders hold bytes of this backup; the last is the backup itself.
    var references: [BackupLabel] = []
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
    var places = ClusterPlaces()
    var databases: [Database] = []
    var annotations: [String: String] = [:]
    /// Of the files; nil when the repository is not encrypted.
    var seal: Seal?
    /// In byte order of the names.
    var files: [StoredFile] = []

    init(_ label: BackupLabel, of database: DatabaseHistory.Database) { (self.label, self.database) = (label, database) }

    static let dataName = "pg_data"
    static let tablespaceName = "pg_tblspc"

    /// Relative to PGDATA, for people.
    static func shown(_ name: String) -> String { clusterKey(name).path }

    var hasPageErrors: Bool { files.contains { $0.pagesValid == false } }

    mutating func sort() {
        files.sort { $0.name < $1.name }
        places.sort()
        databases.sort { bytewiseLess($0.name, $1.name) }
    }

}

extension Array {
    /// Before one more of a million is appended. Memory that is reserved and not used yet is not there, while the doubling of an array touches
    /// half as much again.
    mutating func makeRoom() { if count == capacity { reserveCapacity(Swift.max(1 << 16, count * 4)) } }
}

extension [StoredFile] {
    /// Of the file with this name; the list must be sorted.
    func index(of name: ManifestName) -> Int? {
        let place = place(of: name)
        return place < count && self[place].name == name ? place : nil
    }

    /// Adds a file where it belongs, in place of the one of its name; the list must be sorted.
    mutating func take(_ file: StoredFile) {
        let place = place(of: file.name)
        if place < count, self[place].name == file.name { self[place] = file } else { insert(file, at: place) }
    }

    /// Of the first file whose name is not less.
    private func place(of name: ManifestName) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle].name < name { low = middle + 1 } else { high = middle }
        }
        return low
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
    func location(of file: StoredFile, _ layout: Layout, suffix: String) -> Location? {
        if file.size == 0 { return nil }
        let label = file.reference.map { references[$0] } ?? label
        if let bundle = file.bundle {
            let range = file.bundleOffset..<file.bundleOffset + file.repositorySize
            return Location(
                key: layout.bundle(label, bundle), range: range,
                framing: isBundledRaw || file.blockMapSize != nil ? .raw : .normal)
        }
        let ending = file.blockMapSize != nil ? Layout.blockSuffix : suffix
        return Location(
            key: layout.backup(label) / (file.name.text + ending), range: nil, framing: file.blockMapSize != nil ? .raw : .normal)
    }

    /// Sums over the files for backup.info and for progress.
    var totalSize: UInt64 { files.reduce(0) { $0 + $1.size } }
}

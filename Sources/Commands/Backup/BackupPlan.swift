// What a backup copies, and how, and what stays where an earlier backup has it: decided from the listing and that backup's manifest alone.

import BackstopCore

/// A file that is going to be copied.
struct PlannedFile: Sendable {
    let file: ListedFile
    /// Its pages carry checksums, which are looked at.
    let checksPages: Bool
    /// Read up to the size it had when it was listed: WAL replay brings what was added later (repository-format.md section 3.7).
    let isCut: Bool
    /// nil: there is nothing that it could be equal to.
    var base: Base?
    /// nil: it is stored whole.
    var blocks: BlockFormat?

    /// What an earlier backup of the set has of the file.
    final class Base: Sendable {
        /// Refers to the backup that holds the bytes; size, time and attributes are those of the listing.
        let file: StoredFile
        /// Its checksum is looked at before anything is copied.
        let comparesFirst: Bool
        /// An earlier run of this very backup stored it: what is in the repository has to be looked at too.
        let isResumed: Bool

        init(_ file: StoredFile, comparesFirst: Bool, isResumed: Bool = false) {
            (self.file, self.comparesFirst, self.isResumed) = (file, comparesFirst, isResumed)
        }

        func isSame(_ found: ChainFindings) -> Bool { found.size == file.size && found.checksum == file.checksum }
    }

    var name: ManifestName { file.name }
    var size: UInt64 { file.size }
    /// pg_control changes while it is read: it is read until its checksum is right.
    var isControl: Bool { name == ClusterListing.control }
}

struct BackupPlan: Sendable {
    enum Job: Sendable {
        case file(PlannedFile)
        /// Files that become one object, in the order in which they are in it; never none.
        case bundle(UInt64, [PlannedFile])

        /// Bytes of the cluster.
        var size: UInt64 {
            switch self {
            case .file(let file): file.size
            case .bundle(_, let files): files.reduce(0) { $0 + $1.size }
            }
        }

        /// Of files.
        var count: Int {
            switch self {
            case .file: 1
            case .bundle(_, let files): files.count
            }
        }

        /// Of its first file.
        var name: ManifestName {
            switch self {
            case .file(let file): file.name
            case .bundle(_, let files): files[0].name
            }
        }
    }

    /// The largest first, so that no worker begins with it when the others have ended.
    let jobs: [Job]
    /// pg_control, where it has to be copied after all others; nil: it is among the jobs.
    let last: PlannedFile?
    /// What need not be copied: it did not change since the prior backup, or is empty and would be in a bundle. In byte order of the names.
    private(set) var kept: [StoredFile]
    /// Bytes of the cluster that are going to be read.
    let totalSize: UInt64
    /// Whether pages are checked at all.
    let checksPages: Bool
    /// Size and time do not tell whether a file changed, for this backup or for a later one: checksums do.
    let isDelta: Bool
    let warnings: [String]

    /// `hasPageChecksums`: whether all that is copied from has them. `listed`: the second of the listing, Unix seconds by the clock of the server.
    /// `start`: that of the begin of the backup. `timeline`: of the begin of an online backup. `resumed`: what an unfinished run of this backup
    /// has stored, in byte order of the names. `comparesResumed`: size and time do not tell whether that is still so. `ofStandby`: the cluster is
    /// a standby alone. Its pg_control says how far WAL must be replayed for all that was copied before, and its files have other times than
    /// those of its primary.
    init(
        _ listing: ClusterListing, onto base: BackupBase = BackupBase(type: .full, prior: nil), _ policy: BackupPolicy,
        _ version: PostgresVersion, hasPageChecksums: Bool, listed: Int64, start: Int64 = 0, timeline: UInt32? = nil,
        resumed: [StoredFile] = [], comparesResumed: Bool = false, ofStandby: Bool = false
    ) {
        var warnings: [String] = []
        let checksPages = base.checksPages(asked: policy.checksPages, online: policy.isOnline, hasPageChecksums: hasPageChecksums) {
            warnings.append($0)
        }
        let late = listing.files.first { $0.modified > listed }
        if let late {
            warnings.append("file '\(late.name)' has timestamp (\(late.modified)) in the future, enabling delta checksum")
        }
        var isDelta = policy.delta || ofStandby || late != nil
        if !isDelta, let prior = base.prior, let reason = Self.reasonForDelta(listing, prior, policy, timeline) {
            warnings.append(reason)
            isDelta = true
        }
        let cut = Self.foldersOfRelations(version)
        var (known, isCut) = (listing.files.first?.name.folder, false)
        if let known { isCut = cut(known.path) }
        var jobs: [Job] = []
        var kept: [StoredFile] = []
        var last: PlannedFile?
        var small: [PlannedFile] = []
        var bundles: UInt64 = 0
        // Reserved and unused memory costs nothing, growing does.
        if base.prior != nil { kept.reserveCapacity(listing.files.count) }
        if policy.bundling == nil { jobs.reserveCapacity(listing.files.count) } else { small.reserveCapacity(listing.files.count) }
        var space: Substring = ""
        var earlier = PriorFiles(base.prior)
        var begun = PriorFiles(resumed)
        for file in listing.files {
            if file.size == 0, policy.bundling != nil {
                var empty = StoredFile(file.name, size: 0, timestamp: file.modified, file.attributes)
                if checksPages && DatabasePath.hasPages(file.name.text) { empty.pagesValid = true }
                kept.append(empty)
                continue
            }
            let fate = earlier.fate(of: file, isDelta: isDelta, isOnline: policy.isOnline, keepsBlocks: policy.blocks != nil)
            if case .kept(let file) = fate {
                kept.append(file)
                continue
            }
            // Most files are in the folder of the one before.
            if file.name.folder !== known {
                known = file.name.folder
                isCut = known.map { cut($0.path) } ?? false
            }
            let hasPages = checksPages && DatabasePath.hasPages(file.name.text)
            var planned = PlannedFile(file: file, checksPages: hasPages, isCut: isCut)
            if case .compared(let base) = fate {
                planned.base = base
                // Within a set a file stays cut as it was, or whole, as long as it can.
                if policy.blocks != nil { planned.blocks = base.file.blockFormat }
            } else {
                planned.blocks = policy.blocks?.format(size: file.size, age: start - file.modified)
            }
            if ofStandby, planned.isControl {
                last = planned
                continue
            }
            if let resumed = begun.resumed(planned, isDelta: isDelta || comparesResumed) {
                planned.base = resumed
                jobs.append(.file(planned))
            } else if let bundling = policy.bundling, planned.size <= bundling.limit {
                let next = Self.space(of: file.name)
                if next != space { Self.bundle(&small, fullAt: bundling.size, into: &jobs, &bundles) }
                space = next
                small.append(planned)
            } else {
                jobs.append(.file(planned))
            }
        }
        if let bundling = policy.bundling { Self.bundle(&small, fullAt: bundling.size, into: &jobs, &bundles) }
        jobs.sort { ($0.size, $1.name) > ($1.size, $0.name) }
        self.jobs = jobs
        self.last = last
        self.kept = kept
        totalSize = jobs.reduce(last?.size ?? 0) { $0 + $1.size }
        self.checksPages = checksPages
        self.isDelta = isDelta
        self.warnings = warnings
    }

    /// Makes jobs of small files of one tablespace, numbered on from `count`. Those that were written at about the same time come together,
    /// since they change together: a later backup keeps or replaces much of a bundle.
    private static func bundle(_ files: inout [PlannedFile], fullAt size: UInt64, into jobs: inout [Job], _ count: inout UInt64) {
        files.sort { ($0.file.modified, $0.name) < ($1.file.modified, $1.name) }
        var begin = 0
        var bytes: UInt64 = 0
        for index in files.indices {
            bytes += files[index].size
            guard bytes >= size || index == files.count - 1 else { continue }
            count += 1
            jobs.append(.bundle(count, files[begin...index].sorted { ($0.size, $0.name) < ($1.size, $1.name) }))
            (begin, bytes) = (index + 1, 0)
        }
        files.removeAll(keepingCapacity: true)
    }

    /// The number of the tablespace, whose files follow each other in a listing; nothing for what is in the data directory.
    private static func space(of name: ManifestName) -> Substring {
        guard let folder = name.folder?.path, folder.isBelow(Manifest.tablespaceName) else { return "" }
        return folder.dropFirst(Manifest.tablespaceName.count + 1).prefix { $0 != "/" }
    }

    /// What an unfinished run of this backup may have stored already.
    var resumed: [ManifestName: StoredFile] {
        var files: [ManifestName: StoredFile] = [:]
        for case .file(let file) in jobs where file.base?.isResumed == true { files[file.name] = file.base?.file }
        return files
    }

    /// What is kept, which is in the plan no more.
    mutating func takeKept() -> [StoredFile] {
        var files: [StoredFile] = []
        swap(&files, &kept)
        return files
    }

    /// Whether files of a folder are written by WAL replay.
    static func foldersOfRelations(_ version: PostgresVersion) -> (String) -> Bool {
        let folders = ["base", "global", version.transactionFolder, "pg_multixact"].map { "\(Manifest.dataName)/\($0)" }
        return { folder in
            folder.isBelow(Manifest.tablespaceName) || sameBytes(folder, Manifest.tablespaceName)
                || folders.contains { sameBytes(folder, $0) || folder.isBelow($0) }
        }
    }
}

extension BackupPlan {
    /// Why size and time would not tell what changed since `prior` (repository-format.md section 3.4); nil: they do.
    private static func reasonForDelta(
        _ listing: ClusterListing, _ prior: Manifest, _ policy: BackupPolicy, _ timeline: UInt32?
    ) -> String? {
        if let timeline, let before = prior.archiveStop.flatMap({ WALSegment($0) })?.timeline, before != timeline {
            return "a timeline switch has occurred since the \(prior.label) backup, enabling delta checksum"
        }
        if prior.settings.online != policy.isOnline {
            return "the online option has changed since the \(prior.label) backup, enabling delta checksum"
        }
        var earlier = PriorFiles(prior)
        for file in listing.files {
            guard let before = earlier.file(of: file.name) else { continue }
            if file.modified < before.timestamp {
                return
                    "file '\(file.name)' has timestamp earlier than prior backup (prior \(before.timestamp), current \(file.modified)), enabling delta checksum"
            }
            if file.modified == before.timestamp, file.size != before.originalSize {
                return
                    "file '\(file.name)' has same timestamp (\(file.modified)) as prior but different size (prior \(before.originalSize), current \(file.size)), enabling delta checksum"
            }
        }
        return nil
    }
}

/// The files of a prior backup beside those of a listing, both in byte order of the names.
private struct PriorFiles {
    enum Fate {
        case copied
        case compared(PlannedFile.Base)
        case kept(StoredFile)
    }

    private let files: [StoredFile]
    /// Has the index of the prior backup in the references: those of a backup begin with those of its prior.
    private var own = StoredFile(ManifestName(""), size: 0, timestamp: 0, FileAttributes(mode: 0, owner: Manifest.Owner()))
    private var next = 0

    init(_ prior: Manifest?) {
        files = prior?.files ?? []
        if let prior { own.reference = prior.references.count - 1 }
    }

    init(_ files: [StoredFile]) { self.files = files }

    /// What an unfinished run stored of the file, unless it has changed since, or would be stored in another form now, or nobody has looked at its
    /// pages.
    mutating func resumed(_ planned: PlannedFile, isDelta: Bool) -> PlannedFile.Base? {
        let listed = planned.file
        guard let before = file(of: listed.name), listed.size == before.size, listed.size == before.originalSize,
            isDelta || listed.modified == before.timestamp || CopyClock.marks(before.timestamp, of: listed.modified), !planned.isControl,
            (planned.blocks == nil) == (before.blockMapSize == nil), !planned.checksPages || before.pagesValid != nil
        else { return nil }
        var file = StoredFile(listed.name, size: before.size, timestamp: listed.modified, listed.attributes)
        file.resume(before)
        return PlannedFile.Base(file, comparesFirst: isDelta || listed.modified != before.timestamp, isResumed: true)
    }

    /// Names must be asked for in their order.
    mutating func file(of name: ManifestName) -> StoredFile? {
        while next < files.count, files[next].name < name { next += 1 }
        return next < files.count && files[next].name == name ? files[next] : nil
    }

    /// By repository-format.md section 3.5.
    mutating func fate(of listed: ListedFile, isDelta: Bool, isOnline: Bool, keepsBlocks: Bool) -> Fate {
        guard let before = file(of: listed.name) else { return .copied }
        let isSameSize = listed.size == before.size
        let hasBlocks = keepsBlocks && before.size > 0 && before.blockMapSize != nil && listed.size >= before.blockSize
        guard isSameSize || hasBlocks else { return .copied }
        // It tells where recovery begins: an online backup has its own.
        if isOnline, listed.name == ClusterListing.control { return .copied }
        var inherited = StoredFile(listed.name, size: listed.size, timestamp: listed.modified, listed.attributes)
        inherited.inherit(before, own: own)
        if isSameSize, listed.size == 0 || (!isDelta && listed.modified == before.timestamp) { return .kept(inherited) }
        let isLikelySame = isDelta || CopyClock.marks(before.timestamp, of: listed.modified)
        return .compared(PlannedFile.Base(inherited, comparesFirst: isSameSize && isLikelySame))
    }
}

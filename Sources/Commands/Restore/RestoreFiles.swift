// What a restore does with the files of a backup, in numbers, before it does it.

import BackstopCore

/// Pure: counted by the same rules by which the files are read.
struct RestoreFiles: Sendable, Equatable {
    /// How the content of a file comes back.
    enum Kind: String, CaseIterable, Sendable {
        /// From an object of its own.
        case whole
        /// From an object that it shares with others.
        case bundled
        /// Put together from the blocks of one or more backups.
        case blocks
        /// It has none.
        case empty
        /// Of a database that is left out: its size, and no content.
        case hole
    }

    struct Count: Sendable, Equatable {
        var files = 0
        /// Bytes in the cluster.
        var size: UInt64 = 0
        /// Bytes in the repository; of blocks only those that the backup of the file itself holds.
        var stored: UInt64 = 0

        mutating func add(_ size: UInt64, stored: UInt64 = 0) {
            files += 1
            self.size += size
            self.stored += stored
        }
    }

    /// What is known of a number: with `atMost` the same as `atLeast`, all.
    struct Bounds: Sendable, Equatable {
        var atLeast: UInt64 = 0
        /// nil: not known.
        var atMost: UInt64? = 0

        mutating func add(_ least: UInt64, most: UInt64?) {
            atLeast += least
            if let known = atMost, let most { atMost = known + most } else { atMost = nil }
        }
    }

    /// Of a file that stands where one of the backup goes.
    enum Standing: Sendable {
        /// It has the size of that, and only its content can tell whether it is the same.
        case compared
        /// Its size and time tell that it is.
        case kept
    }

    private(set) var counts: [Kind: Count] = [:]
    /// What stands there and is looked at before it is replaced.
    private(set) var compared = Count()
    private(set) var kept = Count()
    /// Bytes of all files of the backup.
    private(set) var totalSize: UInt64 = 0
    private(set) var totalFiles = 0
    /// Files of the backup that are not restored from it: what is kept by type preserve, the map of tablespaces.
    private(set) var left: [String] = []
    /// Requests to the repository, and bytes that they ask for, for the content of files.
    private(set) var requests = Bounds()
    private(set) var read = Bounds()
    private(set) var folders = 0
    private(set) var links = 0

    func count(_ kind: Kind) -> Count { counts[kind] ?? Count() }

    /// `plan`: of the files that workers restore; `last`: the one that is restored after them, as an index. `location`: as for the plan.
    /// `readSize`: bytes of one request at most. `standing`: of a file by its index; nil: it is restored whatever stands there.
    init(
        _ manifest: Manifest, _ plan: RestorePlan, last: Int?, emptied: (ManifestName) -> Bool, readOver: UInt64, readSize: Int?,
        standing: (Int) -> Standing?, _ location: (StoredFile) -> Manifest.Location?
    ) {
        totalSize = manifest.totalSize
        totalFiles = manifest.files.count
        let linked = Set(manifest.places.links.map { Key($0.name) })
        links = manifest.places.links.count
        folders = manifest.places.paths.count { $0.name != Manifest.tablespaceName && !linked.contains(Key($0.name)) }
        var restored = Set(plan.order)
        if let last { restored.insert(last) }
        left = manifest.files.indices.filter { !restored.contains($0) }.map { Manifest.shown(manifest.files[$0].name.text) }

        func pieces(_ bytes: UInt64) -> UInt64 { readSize.map { max(1, (bytes + UInt64($0) - 1) / UInt64($0)) } ?? 1 }
        /// Of the files at these places, those that are read for certain and those that may be.
        func read(_ files: some Sequence<Int>, until end: UInt64) {
            var certain: [Range<UInt64>] = []
            var possible: [Range<UInt64>] = []
            for index in files {
                let file = manifest.files[index]
                let stored = file.repositorySize > 0 ? file.repositorySize : file.size
                let place = location(file)
                let kind: Kind =
                    emptied(file.name)
                    ? .hole : place == nil ? .empty : file.blockMapSize != nil ? .blocks : file.bundle != nil ? .bundled : .whole
                counts[kind, default: Count()].add(file.size, stored: kind == .hole || kind == .empty ? 0 : stored)
                let stands = kind == .hole ? nil : standing(index)
                if stands == .compared { compared.add(file.size) }
                if stands == .kept { kept.add(file.size) }
                guard let place, kind != .hole, stands != .kept else { continue }
                switch kind {
                case .bundled:
                    guard let range = place.range else { continue }
                    possible.append(range)
                    if stands == nil { certain.append(range) }
                case .blocks:
                    // Which blocks of earlier backups it is made of, only its map tells.
                    let own = stored - min(stored, file.blockMapSize ?? 0)
                    let runs = max(1, (own + NeighbourReader.longestRun - 1) / NeighbourReader.longestRun)
                    requests.add(stands == nil ? 1 + runs : 0, most: nil)
                    self.read.add(stands == nil ? stored : 0, most: nil)
                default:
                    requests.add(stands == nil ? pieces(stored) : 0, most: pieces(stored))
                    self.read.add(stands == nil ? stored : 0, most: stored)
                }
            }
            add(certain, possible, until: end)
        }
        func add(_ certain: [Range<UInt64>], _ possible: [Range<UInt64>], until end: UInt64) {
            func bytes(_ ranges: [Range<UInt64>]) -> UInt64 { ranges.reduce(0) { $0 + UInt64($1.count) } }
            let least = NeighbourReader.requests(certain, until: end, readOver: readOver)
            guard certain.count != possible.count else {
                let count = least.reduce(0) { $0 + pieces(UInt64($1.count)) }
                requests.add(count, most: count)
                self.read.add(bytes(least), most: bytes(least))
                return
            }
            // Each file that is kept may make a gap: as many requests as there can be with a gap before each.
            var most: UInt64 = 0
            var lastEnd: UInt64?
            for range in possible where lastEnd.map({ range.lowerBound > $0 && range.lowerBound - $0 > readOver }) ?? true {
                most += pieces(end - min(end, range.lowerBound))
                lastEnd = range.upperBound
            }
            requests.add(least.isEmpty ? 0 : 1, most: most)
            self.read.add(bytes(certain), most: bytes(NeighbourReader.requests(possible, until: end, readOver: readOver)))
        }
        for job in plan.jobs { read(plan.order[job.files], until: job.end) }
        if let last { read([last], until: 0) }
    }
}

// In which portions the files of a backup are restored.

import BackstopCore

struct RestorePlan: Sendable {
    /// Files for one worker, one after the other: neighbours in a bundle, which are read by one request, or a single file.
    struct Job: Sendable, Equatable {
        /// Places in `order`.
        var files: Range<Int>
        /// Where the last of them ends in its bundle.
        var end: UInt64
        /// Bytes of all its files.
        var size: UInt64
    }

    /// Indexes of the files. The files themselves stay where they are: there may be a million.
    private(set) var order: [Int] = []
    /// The largest first, so that no worker begins with it when the others have ended.
    private(set) var jobs: [Job] = []

    /// `files`: in the order of their names. `skipping`: what is not restored by these jobs.
    init(
        _ files: [StoredFile], skipping: Set<ManifestName> = [], readOver: UInt64, _ location: (StoredFile) -> Manifest.Location?
    ) {
        order.reserveCapacity(files.count)
        jobs.reserveCapacity(files.count)
        var bundled: [Key: [(file: Int, range: Range<UInt64>)]] = [:]
        for (index, file) in files.enumerated() where skipping.isEmpty || !skipping.contains(file.name) {
            // What a map says of a file lies elsewhere too.
            if file.bundle != nil, file.blockMapSize == nil, let place = location(file), let range = place.range {
                bundled[place.key, default: []].append((index, range))
            } else {
                add(index, file, end: 0)
            }
        }
        for neighbours in bundled.values {
            var run: Range<UInt64>?
            for (index, range) in neighbours.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
                if let known = run, NeighbourReader.continues(known, range, readOver: readOver) {
                    run = known.lowerBound..<range.upperBound
                    order.append(index)
                    let last = jobs.count - 1
                    jobs[last] = Job(
                        files: jobs[last].files.lowerBound..<order.count, end: range.upperBound, size: jobs[last].size + files[index].size)
                } else {
                    run = range
                    add(index, files[index], end: range.upperBound)
                }
            }
        }
        let order = order
        jobs.sort { a, b in
            if a.size != b.size { return a.size > b.size }
            return files[order[a.files.lowerBound]].name < files[order[b.files.lowerBound]].name
        }
    }

    private mutating func add(_ index: Int, _ file: StoredFile, end: UInt64) {
        order.append(index)
        jobs.append(Job(files: order.count - 1..<order.count, end: end, size: file.size))
    }
}

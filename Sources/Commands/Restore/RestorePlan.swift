// In which portions the files of a backup are restored.

import BackstopCore

enum RestorePlan {
    /// Files for one worker, one after the other: neighbours in a bundle, which are read by one request, or a single file.
    struct Job: Sendable, Equatable {
        var files: [StoredFile]
        /// Where the last of them ends in its bundle.
        var end: UInt64
        /// Bytes of all its files.
        var size: UInt64 { files.reduce(0) { $0 + $1.size } }

        static func == (a: Job, b: Job) -> Bool { a.files.map(\.name) == b.files.map(\.name) && a.end == b.end }
    }

    /// The largest first, so that no worker begins with it when the others have ended.
    static func jobs(_ files: [StoredFile], readOver: UInt64, _ location: (StoredFile) -> Manifest.Location?) -> [Job] {
        var jobs: [Job] = []
        var bundled: [Key: [(file: StoredFile, range: Range<UInt64>)]] = [:]
        for file in files {
            // What a map says of a file lies elsewhere too.
            if file.blockMapSize == nil, let place = location(file), let range = place.range {
                bundled[place.key, default: []].append((file, range))
            } else {
                jobs.append(Job(files: [file], end: 0))
            }
        }
        for neighbours in bundled.values {
            var run: Range<UInt64>?
            for (file, range) in neighbours.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
                if let known = run, NeighbourReader.continues(known, range, readOver: readOver) {
                    run = known.lowerBound..<range.upperBound
                    jobs[jobs.count - 1].files.append(file)
                    jobs[jobs.count - 1].end = range.upperBound
                } else {
                    run = range
                    jobs.append(Job(files: [file], end: range.upperBound))
                }
            }
        }
        let sizes = jobs.map(\.size)
        return jobs.indices.sorted { (sizes[$0], jobs[$1].files[0].name) > (sizes[$1], jobs[$0].files[0].name) }.map { jobs[$0] }
    }
}

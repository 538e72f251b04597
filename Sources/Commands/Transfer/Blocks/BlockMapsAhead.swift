// The block maps of several files, read together: one after the other each would cost a round trip.

import BackstopCore

extension StanzaRepository {
    /// The maps of those of `files` that are stored in blocks, by name; one that cannot be read is missing. Maps that lie near each other in a
    /// bundle are read by one request, `atATime` requests are under way. `readOver`: bytes between two maps that are rather read than
    /// skipped. `references`, `label`, `seal`: as for a single map.
    func blockMaps(
        of files: [StoredFile], _ references: [BackupLabel], in label: BackupLabel, _ seal: Seal?, atATime: Int, readOver: UInt64
    ) async -> [ManifestName: BlockMap] {
        let runs = Self.runs(files, readOver: readOver) { blockMapPlace(of: $0, references, in: label) }
        return await withTaskGroup(of: [(ManifestName, BlockMap)].self) { group in
            for slot in 0..<min(atATime, runs.count) {
                group.addTask {
                    var maps: [(ManifestName, BlockMap)] = []
                    for run in stride(from: slot, to: runs.count, by: atATime).map({ runs[$0] }) {
                        let neighbours = NeighbourReader(storage, readOver: readOver)
                        for file in run.files {
                            let map = await Result { () async throws(BackupError) in
                                try await blockMap(of: file, references, in: label, seal, through: (neighbours, run.end))
                            }
                            guard case .success(let map) = map else { break }
                            maps.append((file.name, map))
                        }
                    }
                    return maps
                }
            }
            var all: [ManifestName: BlockMap] = [:]
            for await maps in group { for (name, map) in maps { all[name] = map } }
            return all
        }
    }

    /// Files whose maps are read by one request, in the order of the maps, and where the last map ends.
    static func runs(
        _ files: [StoredFile], readOver: UInt64, _ place: (StoredFile) -> (key: Key, range: Range<UInt64>)?
    ) -> [(files: [StoredFile], end: UInt64)] {
        var places: [Key: [(file: StoredFile, range: Range<UInt64>)]] = [:]
        for file in files {
            if let (key, range) = place(file) { places[key, default: []].append((file, range)) }
        }
        var runs: [(files: [StoredFile], end: UInt64)] = []
        for key in places.keys.sorted() {
            var run: Range<UInt64>?
            for (file, range) in places[key, default: []].sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
                if let known = run, NeighbourReader.continues(known, range, readOver: readOver) {
                    run = known.lowerBound..<range.upperBound
                    runs[runs.count - 1].files.append(file)
                    runs[runs.count - 1].end = range.upperBound
                } else {
                    run = range
                    runs.append(([file], range.upperBound))
                }
            }
        }
        return runs
    }
}

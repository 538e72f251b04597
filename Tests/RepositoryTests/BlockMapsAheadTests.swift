import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// Which block maps are read by one request.
struct BlockMapsAheadTests {
    /// Files by the object and the range of their maps; none: no map.
    private func runs(_ places: [(name: String, key: String, range: Range<UInt64>?)], readOver: UInt64) -> [(names: [String], end: UInt64)]
    {
        let files = places.map {
            StoredFile(ManifestName($0.name), size: 1, timestamp: 0, FileAttributes(mode: 0, owner: Manifest.Owner()))
        }
        return StanzaRepository.runs(files, readOver: readOver) { file in
            let place = places.first { $0.name == file.name.text }
            return place?.range.map { (Key(place?.key ?? ""), $0) }
        }.map { ($0.files.map(\.name.text), $0.end) }
    }

    @Test(
        arguments: [(100, [["c", "a"], ["d"], ["b"]]), (99, [["c"], ["a"], ["d"], ["b"]]), (1 << 20, [["c", "a", "d"], ["b"]])]
            as [(UInt64, [[String]])])
    func runs(_ readOver: UInt64, _ expected: [[String]]) {
        let found = runs(
            [
                ("a", "bundle/1", 150..<200), ("b", "bundle/2", 0..<10), ("none", "bundle/1", nil), ("c", "bundle/1", 0..<50),
                ("d", "bundle/1", 5000..<5010),
            ], readOver: readOver)
        #expect(found.map(\.names) == expected)
        #expect(found.last?.end == 10 && found.contains { $0.end == 5010 })
    }
}

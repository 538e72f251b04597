import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// What a restore does with files, in numbers.
struct RestoreFilesTests {
    private static let readSize = 1000

    private static func file(
        _ name: String, _ size: UInt64, stored: UInt64, bundle: UInt64? = nil, at offset: UInt64 = 0, map: UInt64? = nil
    )
        -> StoredFile
    {
        var file = storedFile("pg_data/\(name)", size: size, stored: stored)
        (file.bundle, file.bundleOffset, file.blockMapSize) = (bundle, offset, map)
        return file
    }

    /// By their names: a to d are neighbours in bundle 1, e is far away in it.
    private static let backup = {
        var backup = manifest()
        backup.files = [
            file("a", 10, stored: 100, bundle: 1), file("b", 20, stored: 300, bundle: 1, at: 100),
            file("c", 30, stored: 100, bundle: 1, at: 400),
            file("d", 40, stored: 100, bundle: 1, at: 500), file("e", 50, stored: 100, bundle: 1, at: 5000), file("empty", 0, stored: 0),
            file("large", 9000, stored: 2500), file("plain", 700, stored: 0), file("sliced", 80_000, stored: 5000, map: 60),
            file("tablespace_map", 5, stored: 5),
        ]
        backup.places.paths = ["pg_data", "pg_data/base", "pg_data/pg_wal", "pg_tblspc"].map {
            Manifest.Path(name: $0, mode: 0o700, owner: .init())
        }
        backup.places.links = [Manifest.Link(name: "pg_data/pg_wal", destination: "/wal", owner: .init())]
        return backup
    }()

    private static func count(
        without names: Set<String> = [], emptied: Set<String> = [], standing: [String: RestoreFiles.Standing] = [:], last: String? = nil
    ) -> RestoreFiles {
        var backup = backup
        backup.files.removeAll { names.contains($0.name.base) }
        let layout = Layout(stanza: "demo")
        let place: (StoredFile) -> Manifest.Location? = { backup.location(of: $0, layout, suffix: "") }
        let index = backup.files.firstIndex { $0.name.base == last }
        let skipped = Set([index.map { backup.files[$0].name }, ManifestName("pg_data/tablespace_map")].compactMap { $0 })
        return RestoreFiles(
            backup, RestorePlan(backup.files, skipping: skipped, readOver: 150, place), last: index,
            emptied: { emptied.contains($0.base) }, readOver: 150, readSize: readSize,
            standing: { standing[backup.files[$0].name.base] }, place)
    }

    @Test func all() {
        let files = Self.count()
        #expect(files.totalFiles == 10 && files.totalSize == 89_855)
        #expect(files.count(.bundled) == .init(files: 5, size: 150, stored: 700))
        #expect(files.count(.whole) == .init(files: 2, size: 9700, stored: 3200))
        #expect(files.count(.blocks) == .init(files: 1, size: 80_000, stored: 5000))
        #expect(files.count(.empty) == .init(files: 1))
        #expect(files.count(.hole) == .init())
        #expect(files.left == ["tablespace_map"] && files.folders == 2 && files.links == 1)
        // Two of the bundle, three of large, one of plain, a map and at least one of its blocks.
        #expect(files.requests == .init(atLeast: 8, atMost: nil))
        #expect(files.read == .init(atLeast: 700 + 3200 + 5000, atMost: nil))
    }

    @Test func withoutBlocks() {
        let files = Self.count(without: ["sliced"])
        #expect(files.requests == .init(atLeast: 6, atMost: 6) && files.read == .init(atLeast: 3900, atMost: 3900))
        // The last one has a request of its own, and leaves a gap that is read over.
        let last = Self.count(without: ["sliced"], last: "c")
        #expect(last.requests == .init(atLeast: 7, atMost: 7) && last.read == .init(atLeast: 4000, atMost: 4000))
        #expect(last.left == ["tablespace_map"])
    }

    /// Of databases that become empty nothing is read, and what lies between is read over or skipped.
    @Test func holes() {
        let files = Self.count(without: ["sliced"], emptied: ["c", "large"])
        #expect(files.count(.hole) == .init(files: 2, size: 9030))
        #expect(files.requests == .init(atLeast: 3, atMost: 3) && files.read == .init(atLeast: 1400, atMost: 1400))
        let skipping = Self.count(without: ["sliced"], emptied: ["b"])
        // a asks up to the end of the run; past b, which is too long to read over, c asks again.
        #expect(skipping.requests.atLeast == 7)
    }

    /// With --delta only the content of what stands there tells what is read.
    @Test func delta() {
        let all = Dictionary(uniqueKeysWithValues: Self.backup.files.map { ($0.name.base, RestoreFiles.Standing.compared) })
        let files = Self.count(without: ["sliced"], standing: all)
        #expect(files.compared == .init(files: 8, size: 9850) && files.kept == .init())
        // At most: a, c (when b is right), e, and the others.
        #expect(files.requests == .init(atLeast: 0, atMost: 7) && files.read == .init(atLeast: 0, atMost: 3900))
        let some = Self.count(without: ["sliced"], standing: ["b": .compared, "large": .kept, "plain": .compared])
        #expect(some.compared == .init(files: 2, size: 720) && some.kept == .init(files: 1, size: 9000))
        #expect(some.requests == .init(atLeast: 2, atMost: 4) && some.read == .init(atLeast: 400, atMost: 1400))
        let blocks = Self.count(standing: ["sliced": .compared])
        #expect(blocks.requests == .init(atLeast: 6, atMost: nil) && blocks.read == .init(atLeast: 3900, atMost: nil))
    }
}

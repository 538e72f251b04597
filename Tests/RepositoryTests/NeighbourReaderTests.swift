// Neighbouring ranges by one request: the right bytes, and no more requests than needed.

import BackstopDrivers
import EndToEndSupport
import Synchronization
import Testing

@testable import BackstopCommands
@testable import BackstopCore

@Suite struct NeighbourReaderTests {
    /// Remembers which ranges it was asked for.
    private final class Recording: Storage {
        let memory = MemoryStorage()
        let asked = Mutex<[Range<UInt64>?]>([])
        var capabilities: Capabilities { memory.capabilities }
        var location: String { memory.location }
        func open(_ key: Key, range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable {
            asked.withLock { $0.append(range) }
            return try await memory.open(key, range: range)
        }
        func put<S: ByteSource & ~Copyable>(_ key: Key, from source: inout S, _ options: PutOptions) async throws(BackupError) -> Entry {
            try await memory.put(key, from: &source, options)
        }
        func stat(_ key: Key) async throws(BackupError) -> Entry? { try await memory.stat(key) }
        func list(_ prefix: Key, _ depth: Depth, _ visit: (Entry) throws(BackupError) -> Void) async throws(BackupError) {
            try await memory.list(prefix, depth, visit)
        }
        func remove(_ key: Key) async throws(BackupError) { try await memory.remove(key) }
        func sync(_ prefix: Key) async throws(BackupError) {}
    }

    private let key = Key("bundle")
    private let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }

    private func read(_ reader: NeighbourReader, _ range: Range<UInt64>, until: UInt64) async throws {
        var source = try await reader.open(key, range) { until }
        let bytes = try await source.readAll()
        let wanted = Array(content[Int(range.lowerBound)..<min(Int(range.upperBound), content.count)])
        let isSame = bytes == wanted
        #expect(isSame, "\(range)")
    }

    @Test func neighbours() async throws {
        let storage = Recording()
        try await storage.put(key, bytes: content)
        let reader = NeighbourReader(storage, readOver: 1000)
        // Adjacent, a small gap, a gap as large as allowed: one request.
        for range in [0..<10, 10..<100_000, 100_500..<100_501, 101_501..<200_000] as [Range<UInt64>] {
            try await read(reader, range, until: 200_000)
        }
        #expect(storage.asked.withLock { $0 } == [0..<200_000])
        // A larger gap, going back, and past what was asked for: a request each.
        try await read(reader, 201_001..<201_002, until: 250_000)
        try await read(reader, 203_000..<203_001, until: 250_000)
        try await read(reader, 5..<6, until: 7)
        try await read(reader, 6..<8, until: 0)
        #expect(storage.asked.withLock { $0 }.dropFirst() == [201_001..<250_000, 203_000..<250_000, 5..<7, 6..<8])
        // Another object, and the same one after an error.
        try await storage.put(Key("other"), bytes: [1, 2, 3])
        var other = try await reader.open(Key("other"), 0..<3) { 3 }
        #expect(try await other.readAll() == [1, 2, 3])
        reader.close()
        try await read(reader, 8..<9, until: 9)
        #expect(storage.asked.withLock { $0 }.suffix(2) == [0..<3, 8..<9])
    }

    /// What is foretold is what is asked for.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func foretold(_ seed: UInt64) async throws {
        var random = Seeded(seed)
        let storage = Recording()
        try await storage.put(key, bytes: content)
        var ranges: [Range<UInt64>] = []
        var next: UInt64 = 0
        while ranges.count < 30 {
            let begin = next + UInt64.random(in: 0...2000, using: &random) / 3
            next = begin + UInt64.random(in: 1...3000, using: &random)
            ranges.append(begin..<next)
        }
        // Up to the planned end, and past it.
        let end = ranges[20].upperBound
        let reader = NeighbourReader(storage, readOver: 300)
        for range in ranges { try await read(reader, range, until: end) }
        #expect(NeighbourReader.requests(ranges, until: end, readOver: 300) == storage.asked.withLock { $0 })
        #expect(NeighbourReader.requests([], until: end, readOver: 300).isEmpty)
    }

    @Test func ofWhichNotAllIsRead() async throws {
        let storage = Recording()
        try await storage.put(key, bytes: content)
        let reader = NeighbourReader(storage, readOver: 1000)
        var block = Block(capacity: 10)
        var source = try await reader.open(key, 0..<500) { 100_000 }
        _ = try await block.fill(from: &source)
        try await read(reader, 600..<700, until: 100_000)
        #expect(storage.asked.withLock { $0 } == [0..<100_000])
    }

    @Test func objectIsShorter() async throws {
        let storage = Recording()
        try await storage.put(key, bytes: content)
        let reader = NeighbourReader(storage, readOver: 1000)
        try await read(reader, 299_990..<300_100, until: 400_000)
        var source = try await reader.open(key, 300_100..<300_200) { 400_000 }
        #expect(try await source.readAll().isEmpty)
    }

    /// Neighbours of a bundle are one portion, up to a size that leaves work for others; the largest portion is the first.
    @Test func portions() {
        func file(_ name: String, _ bundle: UInt64?, _ offset: UInt64, _ size: UInt64) -> StoredFile {
            var file = storedFile(name, size: size, stored: size)
            file.bundle = bundle
            file.bundleOffset = offset
            return file
        }
        let files = [
            file("c", 1, 30, 10), file("a", 1, 0, 10), file("b", 1, 10, 15), file("far", 1, 5000, 10), file("other", 2, 0, 7),
            file("large", nil, 0, 1000), file("left", nil, 0, 2000), file("half", 3, 0, 5 << 20), file("rest", 3, 5 << 20, 5 << 20),
        ]
        let plan = RestorePlan(files, skipping: [ManifestName("left")], readOver: 100) { file in
            file.bundle.map {
                .init(key: Key("bundle/\($0)"), range: file.bundleOffset..<file.bundleOffset + file.repositorySize, framing: .raw)
            }
                ?? .init(key: file.name.key, range: nil, framing: .normal)
        }
        let names = plan.jobs.map { job in plan.order[job.files].map { files[$0].name.text } }
        #expect(names == [["half"], ["rest"], ["large"], ["a", "b", "c"], ["far"], ["other"]])
        #expect(plan.jobs.map(\.end) == [5 << 20, 10 << 20, 0, 40, 5010, 7])
        #expect(plan.jobs.map(\.size) == [5 << 20, 5 << 20, 1000, 35, 10, 7])
    }
}

import BackstopCodecs
import BackstopCore
import BackstopDrivers
import Foundation
import Synchronization
import Testing

@testable import BackstopCommands

/// What is stored under a checksum is what was summed, whatever happens to the file meanwhile.
@Suite struct SegmentContentTests {
    /// A file that has other bytes each time that it is opened, or is another file after it was read.
    private final class Changing: FileTree {
        let files = MemoryStorage()
        let contents: [[UInt8]]
        let opened = Mutex(0)
        /// Seconds that are added to its time after the first look.
        let drift: Int64
        let looked = Mutex(0)

        init(_ contents: [[UInt8]], drift: Int64 = 0) { (self.contents, self.drift) = (contents, drift) }

        var capabilities: Capabilities { [] }
        var location: String { "test" }
        func open(_ key: Key, range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable {
            let number = opened.withLock {
                $0 += 1; return $0 - 1
            }
            let bytes = contents[min(number, contents.count - 1)]
            return BytesSource(range.map { Array(bytes[Int($0.lowerBound)..<min(Int($0.upperBound), bytes.count)]) } ?? bytes)
        }
        func stat(_ key: Key) async throws(BackupError) -> Entry? {
            let number = looked.withLock {
                $0 += 1; return $0 - 1
            }
            return Entry(key: key, kind: .file, size: UInt64(contents[0].count), modified: 1000 + (number > 0 ? drift : 0))
        }
        func put<Source: ByteSource & ~Copyable>(
            _ key: Key, from source: inout Source, _ options: PutOptions
        ) async throws(BackupError) -> Entry { throw BackupError(.unsupported, "put") }
        func list(_ prefix: Key, _ depth: Depth, _ visit: (Entry) throws(BackupError) -> Void) async throws(BackupError) {}
        func remove(_ key: Key) async throws(BackupError) {}
        func sync(_ prefix: Key) async throws(BackupError) {}
        func makeDirectory(_ key: Key, _ attributes: Attributes) async throws(BackupError) {}
        func removeDirectory(_ key: Key) async throws(BackupError) {}
        func link(_ key: Key, to target: String, _ kind: LinkKind) async throws(BackupError) {}
        func setAttributes(_ key: Key, _ attributes: Attributes) async throws(BackupError) {}
    }

    private static let old = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
    private static let new = [UInt8](old.reversed())

    private func content(_ tree: any FileTree) async throws(BackupError) -> SegmentContent {
        var registry = Registry()
        registerBuiltinCodecs(in: &registry)
        return try await SegmentContent(WALFile("/segment", in: tree), try registry.checksum("sha1"))
    }

    @Test func laterChangesDoNotCommit() async throws {
        let content = try await content(Changing([Self.old, Self.old, Self.old, Self.new]))
        #expect(content.size == 100_000 && content.head == Array(Self.old.prefix(40)))
        let storage = MemoryStorage()
        for number in 0..<3 {
            let key = Key("\(number)")
            do throws(BackupError) {
                var source = try await content.open()
                _ = try await storage.put(key, from: &source, PutOptions())
            } catch {
                #expect(error.code == .checksum)
            }
            #expect((try? await storage.read(key)) == (number == 0 ? Self.old : nil))
        }
    }

    /// Whatever the pieces are in which the bytes come, and whichever of them is another one.
    @Test func sums() throws {
        func sum(_ bytes: [UInt8], pieces: [Int]) -> UInt64 {
            let same = SameBytes()
            var position = 0
            for piece in pieces + [bytes.count] {
                let end = min(bytes.count, position + piece)
                bytes[position..<end].withUnsafeBytes { same.update(RawSpan(_unsafeBytes: $0)) }
                position = end
            }
            return same.sum
        }
        let bytes = Array(Self.old.prefix(200))
        let whole = sum(bytes, pieces: [])
        for piece in 1...70 { #expect(sum(bytes, pieces: Array(repeating: piece, count: 200 / piece)) == whole) }
        var sums: Set<UInt64> = [whole]
        for index in bytes.indices {
            for bit in 0..<8 {
                var other = bytes
                other[index] ^= 1 << UInt8(bit)
                sums.insert(sum(other, pieces: [77]))
            }
        }
        for count in 0..<200 { sums.insert(sum(Array(bytes.prefix(count)), pieces: [])) }
        for count in 2...100 { sums.insert(sum([UInt8](repeating: 0, count: count), pieces: [])) }
        #expect(sums.count == 1 + 200 * 8 + 200 + 99)
        let tap = SameBytes(whole)
        bytes.withUnsafeBytes { tap.update(RawSpan(_unsafeBytes: $0)) }
        try tap.finish()
        tap.reset()
        #expect(throws: BackupError.self) { try tap.finish() }
    }

    /// The server went on with the file before all of it was read.
    @Test func changesWhileItIsRead() async throws {
        for tree in [Changing([Self.old], drift: 1), Changing([Self.old, Self.new], drift: 2)] {
            await #expect(throws: BackupError.self) { _ = try await content(tree) }
        }
    }

    /// Made once for several repositories; what changed since it was summed is not stored in any of them.
    @Test func compressedOnce() async throws {
        var registry = Registry()
        registerBuiltinCodecs(in: &registry)
        let coding = ObjectCoding(try registry.codec("lz4"), nil)
        let tree = Changing([Self.old])
        let content = try await content(tree)
        let before = tree.opened.withLock { $0 }
        let compressed = try #require(try await CompressedSegment(content, coding))
        for _ in 0..<3 {
            var flow = try Flow(compressed.open(), Chain(try coding.decoder(.normal)))
            #expect(try await flow.readAll() == Self.old)
        }
        #expect(tree.opened.withLock { $0 } == before + 1)
        #expect(try await CompressedSegment(content, coding, atMost: 100) == nil)
        let changed = try await self.content(Changing([Self.old, Self.old, Self.new]))
        await #expect(throws: BackupError.self) { _ = try await CompressedSegment(changed, coding) }
    }
}

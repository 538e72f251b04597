import BackstopCodecs
import BackstopCore
import BackstopDrivers
import Testing

@testable import BackstopCommands

/// What is stored under a checksum is what was summed, whatever happens to the file meanwhile.
@Suite struct SegmentContentTests {
    private static let old = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
    private static let new = [UInt8](old.reversed())

    private func content(_ tree: any FileTree) async throws(BackupError) -> SegmentContent {
        var registry = Registry()
        registerBuiltinCodecs(in: &registry)
        return try await SegmentContent(WALFile("/segment", in: tree), try registry.checksum("sha1"))
    }

    @Test func laterChangesDoNotCommit() async throws {
        let content = try await content(ChangingFile([Self.old, Self.old, Self.old, Self.new]))
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
        for tree in [ChangingFile([Self.old], drift: 1), ChangingFile([Self.old, Self.new], drift: 2)] {
            await #expect(throws: BackupError.self) { _ = try await content(tree) }
        }
    }

    /// Made once for several repositories; what changed since it was summed is not stored in any of them.
    @Test func compressedOnce() async throws {
        var registry = Registry()
        registerBuiltinCodecs(in: &registry)
        let coding = ObjectCoding(try registry.codec("lz4"), nil)
        let tree = ChangingFile([Self.old])
        let content = try await content(tree)
        let before = tree.opened
        let compressed = try #require(try await CompressedSegment(content, coding))
        for _ in 0..<3 {
            var flow = try Flow(compressed.open(), Chain(try coding.decoder(.normal)))
            #expect(try await flow.readAll() == Self.old)
        }
        #expect(tree.opened == before + 1)
        #expect(try await CompressedSegment(content, coding, atMost: 100) == nil)
        let changed = try await self.content(ChangingFile([Self.old, Self.old, Self.new]))
        await #expect(throws: BackupError.self) { _ = try await CompressedSegment(changed, coding) }
    }
}

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
    private final class Changing: Storage {
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
    }

    private static let old = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
    private static let new = [UInt8](old.reversed())

    private func content(_ tree: any Storage, keptAtMost: UInt64) async throws(BackupError) -> SegmentContent {
        var registry = Registry()
        registerBuiltinCodecs(in: &registry)
        return try await SegmentContent(
            Key("segment"), of: tree, shown: "pg_wal/segment", try registry.checksum("sha1"), keptAtMost: keptAtMost)
    }

    @Test(arguments: [0, 99_999, 100_000, 1 << 20] as [UInt64])
    func laterChangesDoNotCommit(_ keptAtMost: UInt64) async throws {
        let content = try await content(Changing([Self.old, Self.old, Self.new]), keptAtMost: keptAtMost)
        #expect(content.size == 100_000 && content.head == Array(Self.old.prefix(40)))
        let storage = MemoryStorage()
        for _ in 0..<3 {
            let key = Key(content.sha1)
            do throws(BackupError) {
                var source = try await content.open()
                _ = try await storage.put(key, from: &source, PutOptions())
            } catch {
                #expect(error.code == .checksum)
            }
            if let stored = try? await storage.read(key) { #expect(stored == Self.old) }
        }
        #expect(try await storage.stat(Key(content.sha1)) != nil || keptAtMost < 100_000)
    }

    /// The server went on with the file before all of it was read.
    @Test(arguments: [0, 1 << 20] as [UInt64])
    func changesWhileItIsRead(_ keptAtMost: UInt64) async throws {
        for tree in [Changing([Self.old], drift: 1), Changing([Self.old, Self.old, Self.new], drift: 2)] {
            await #expect(throws: BackupError.self) { _ = try await content(tree, keptAtMost: keptAtMost) }
        }
    }
}

// A storage as it was at a time: what the driver makes of the versions that a store keeps.

import BackstopCore
import EndToEndSupport
import Foundation
import Testing

@Suite struct BucketVersionTests {
    private static let bucket = "versions"

    /// The options of a new folder of a bucket with versions.
    private func options(_ more: [(String, String)] = []) throws -> [(String, String)] {
        let store = try ObjectStore.shared.get()
        try store.makeVersionedBucket(Self.bucket)
        return store.options(path: "/\(UUID().uuidString)").filter { $0.0 != "repo1-s3-bucket" } + [("repo1-s3-bucket", Self.bucket)] + more
    }

    /// More versions than a page of a listing holds, so that pages end among those of one name.
    @Test func manyVersions() async throws {
        let options = try options()
        let store = try await openStorage(options)
        let keys = try (0..<30).map { try Key(checking: "folder \($0 % 3)/ä \($0)+%") }
        for size in 1...20 {
            for key in keys { _ = try await store.put(key, bytes: [UInt8](repeating: 1, count: size)) }
        }
        let time = try nextSecond()
        _ = try nextSecond()
        for size in 21...40 {
            for key in keys { _ = try await store.put(key, bytes: [UInt8](repeating: 2, count: size)) }
        }
        try await store.remove(Array(keys[..<15]))
        _ = try await store.put(try Key(checking: "later"), bytes: [1])

        let past = try await openStorage(options + [("repo-target-time", time)])
        let all = try await past.list(.root, .all)
        #expect(all.map(\.key.path).sorted() == keys.map(\.path).sorted())
        #expect(all.allSatisfy { $0.size == 20 })
        #expect(try await past.list(.root).map(\.key.path).sorted() == ["folder 0", "folder 1", "folder 2"])
        #expect(try await past.list(try Key(checking: "folder 1")).count == 10)
        for key in [keys[0], keys[29]] {
            #expect(try await past.stat(key)?.size == 20)
            #expect(try await past.read(key) == [UInt8](repeating: 1, count: 20))
        }
        #expect(try await past.stat(try Key(checking: "later")) == nil)
        #expect(try await store.list(.root, .all).count == 16)
    }

    /// What was removed at the time is not there, and comes back for a later one.
    @Test func removedInBetween() async throws {
        let options = try options()
        let store = try await openStorage(options)
        let key = try Key(checking: "file")
        var times: [String] = []
        for content in ["one", nil, "two"] {
            if let content { _ = try await store.put(key, bytes: Array(content.utf8)) } else { try await store.remove(key) }
            times.append(try nextSecond())
            _ = try nextSecond()
        }
        for (time, content) in zip(times, ["one", nil, "two"]) {
            let past = try await openStorage(options + [("repo-target-time", time)])
            #expect(try await past.stat(key)?.size == content.map { UInt64($0.utf8.count) })
            guard let content else {
                await #expect { _ = try await past.read(key) } throws: { ($0 as? BackupError)?.code == .notFound }
                continue
            }
            #expect(try await past.read(key) == Array(content.utf8))
        }
    }

    @Test func nothingCanBeChanged() async throws {
        let past = try await openStorage(options([("repo-target-time", "2026-01-01 00:00:00+00")]))
        let key = try Key(checking: "file")
        await #expect { _ = try await past.put(key, bytes: [1]) } throws: { ($0 as? BackupError)?.code == .unsupported }
        await #expect { try await past.remove(key) } throws: { ($0 as? BackupError)?.code == .unsupported }
        await #expect { try await past.remove([key, key]) } throws: { ($0 as? BackupError)?.code == .unsupported }
    }

    /// Some stores tell all versions of a page first and then what was removed, not each name's by their time.
    @Test func removalsAfterVersions() async throws {
        let services = try KeyServices()
        func version(_ kind: String, _ name: String, _ minute: Int, _ latest: Bool = false) -> String {
            "<\(kind)><Key>p/\(name)</Key><VersionId>\(minute)</VersionId><IsLatest>\(latest)</IsLatest>"
                + "<LastModified>2026-01-01T00:0\(minute):00.000Z</LastModified><Size>\(minute)</Size></\(kind)>"
        }
        let items = [
            version("Version", "gone", 1), version("Version", "kept", 4, true), version("Version", "kept", 2),
            version("Version", "kept", 1),
            version("Version", "back", 4, true), version("Version", "back", 1), version("DeleteMarker", "gone", 3, true),
            version("DeleteMarker", "back", 2),
        ]
        let page =
            "<ListVersionsResult><IsTruncated>false</IsTruncated>\(items.joined())</ListVersionsResult>"
        try services.tell(
            #"{"faults": [{"service": "store", "has": "versions=", "times": 99, "fault": "status", "status": 200, "body": "\#(page)"}]}"#)
        func sizes(_ minute: Int) async throws -> [String: UInt64] {
            let past = try await openStorage(
                options([
                    ("repo1-s3-endpoint", services.origin), ("repo-target-time", "2026-01-01 00:0\(minute):30+00"), ("repo1-path", "/p"),
                ]))
            return Dictionary(uniqueKeysWithValues: try await past.list(.root, .all).map { ($0.key.path, $0.size) })
        }
        #expect(try await sizes(0) == [:])
        #expect(try await sizes(1) == ["gone": 1, "kept": 1, "back": 1])
        #expect(try await sizes(2) == ["gone": 1, "kept": 2])
        #expect(try await sizes(3) == ["kept": 2])
        #expect(try await sizes(4) == ["kept": 4, "back": 4])
    }

    /// Waits for the next second of the store's clock, which is ours, and tells it.
    private func nextSecond() throws -> String {
        let now = Int(Date().timeIntervalSince1970)
        let next = try eventually("the next second") { Int(Date().timeIntervalSince1970) > now ? now + 1 : nil }
        return try run(["date", "-u", "-d", "@\(next)", "+%Y-%m-%d %H:%M:%S+00"]).output.trimmingCharacters(in: .newlines)
    }
}

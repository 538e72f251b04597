// Checks of Storage with the sizes of real backups: large objects, long listings, many removals.

import BackstopCore

let storageLifeChecks: [Check<StorageSubject>] = [
    Check("objects as large as real ones come back") { subject, random in
        let pattern = PatternedBytes(&random)
        for size in subject.life.objects {
            let key = subject.prefix / "large" / "object-\(size)"
            var source = PatternedSource(pattern, size: size)
            let entry = try await subject.storage.put(key, from: &source, PutOptions())
            try StorageSubject.check(entry, key, size, "put")
            try StorageSubject.check(try await subject.storage.stat(key), key, size, "stat")
            try StorageSubject.check(try await subject.listed(key), key, size, "list")
            var whole = try await subject.storage.open(key)
            try await pattern.expect(0..<size, from: &whole, "an object of \(size) bytes")
            for range in [size - 5..<size, size / 2 - 3..<size / 2 + 70_000, 0..<1] {
                var part = try await subject.storage.open(key, range: UInt64(range.lowerBound)..<UInt64(range.upperBound))
                try await pattern.expect(range, from: &part, "\(words(range)) of \(size)")
            }
            try await subject.storage.remove(key)
        }
    },

    Check("a listing of many entries is whole") { subject, _ in
        let folder = subject.prefix / "many"
        let count = subject.life.listing
        try await subject.putSmall(count, in: folder)
        for depth in [Depth.folder, .all] {
            let keys = try await subject.storage.list(folder, depth).map(\.key)
            try expect(Set(keys).count == keys.count, "objects are listed twice")
            try expect(keys.count == count, "\(count) objects were put, \(keys.count) are listed")
        }
        try await subject.storage.removeAll(folder)
        let rest = try await subject.storage.list(folder, .all)
        try expect(rest.isEmpty, "of \(count) objects that were removed \(rest.count) are still listed")
    },

    Check("as many as one call may have are removed") { subject, _ in
        let folder = subject.prefix / "removed-together"
        let count = subject.life.removals
        try await subject.putSmall(count + 1, in: folder)
        try await subject.storage.remove((0..<count).map { folder / "object-\($0)" })
        let rest = try await subject.storage.list(folder).map(\.key)
        try expect(rest == [folder / "object-\(count)"], "\(count) of \(count + 1) objects were removed, \(rest.count) are left")
    },
]

extension StorageSubject {
    /// `object-0` and so on, a byte each, by several at a time.
    fileprivate func putSmall(_ count: Int, in folder: Key) async throws {
        let storage = storage
        _ = try await together { worker in
            for number in stride(from: worker, to: count, by: requestsAtOnce) {
                try await storage.put(folder / "object-\(number)", bytes: [1], PutOptions(.bySync))
            }
        }
    }
}

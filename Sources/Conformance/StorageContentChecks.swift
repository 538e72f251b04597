// Checks of Storage: what is put is what is read; all or nothing; exact ranges.

import BackstopCore

let storageContentChecks: [Check<StorageSubject>] = [
    Check("round trip at many sizes") { subject, random in
        let folder = subject.prefix / "sizes"
        for size in subject.sizes {
            let key = folder / "object-\(size)"
            let bytes = random.bytes(size)
            let entry = try await subject.storage.put(key, bytes: bytes)
            try StorageSubject.check(entry, key, size, "put")
            try await subject.expect(key, holds: bytes)
        }
    },

    Check("sources that give odd pieces and end late") { subject, random in
        let folder = subject.prefix / "pieces"
        for (number, (size, pieces)) in [(3000, 1...1), (300_000, 1...5000), (2 << 20, 60_000...70_000), (0, 1...1)].enumerated() {
            let bytes = random.bytes(size)
            for late in [false, true] {
                let key = folder / "object-\(number)-\(late)"
                var source = ScriptedSource(bytes, &random)
                source.pieces = pieces
                source.endsLate = late
                _ = try await subject.storage.put(key, from: &source, PutOptions())
                try await subject.expect(key, holds: bytes)
            }
        }
    },

    Check("reading in tiny pieces") { subject, random in
        let key = subject.prefix / "tiny" / "object"
        let bytes = random.bytes(3000)
        try await subject.storage.put(key, bytes: bytes)
        for capacity in [1, 7, 2999, 3000, 3001] {
            var source = try await subject.storage.open(key)
            var block = Block(capacity: capacity)
            var got: [UInt8] = []
            var more = true
            while more {
                block.clear()
                more = try await block.fill(from: &source)
                try expect(!more || block.count > 0, "a read gives no byte and says that there are more")
                block.withBytes { span in span.withUnsafeBytes { got.append(contentsOf: $0) } }
            }
            try expectSame(got, bytes, "read with \(capacity) bytes of room")
        }
    },

    Check("a put replaces all of the old object") { subject, random in
        let key = subject.prefix / "replaced" / "object"
        for size in [100_000, 10, 2 << 20, 0, 5000] {
            let bytes = random.bytes(size)
            try await subject.storage.put(key, bytes: bytes)
            try await subject.expect(key, holds: bytes)
        }
        let listed = try await subject.storage.list(key.parent)
        try expect(listed.count == 1, "after five puts of one key there are \(listed.map(\.key.path))")
    },

    Check("a source that fails leaves no object") { subject, random in
        let folder = subject.prefix / "failed"
        for failsAt in [0, 1, 100_000, 2 << 20] {
            let key = folder / "object-\(failsAt)"
            var source = ScriptedSource(random.bytes(3 << 20), &random)
            source.failsAt = failsAt
            do throws(BackupError) {
                _ = try await subject.storage.put(key, from: &source, PutOptions())
            } catch {
                try expect(error.code == .io, "the put fails with \(describe(error)) instead of the error of its source")
                try await subject.expectMissing(key)
                continue
            }
            throw Broken(reason: "a put succeeds although its source failed after \(failsAt) bytes")
        }
        let rest = try await subject.storage.list(folder, .all).filter { $0.kind != .folder }
        try expect(rest.isEmpty, "failed puts leave \(rest.map(\.key.path))")
    },

    Check("a source that fails leaves the old bytes") { subject, random in
        let key = subject.prefix / "kept" / "object"
        let old = random.bytes(300_000)
        try await subject.storage.put(key, bytes: old)
        for failsAt in [0, 10, 2 << 20] {
            var source = ScriptedSource(random.bytes(3 << 20), &random)
            source.failsAt = failsAt
            try? await { () async throws(BackupError) in _ = try await subject.storage.put(key, from: &source, PutOptions()) }()
            try await subject.expect(key, holds: old)
        }
        let rest = try await subject.storage.list(key.parent)
        try expect(rest.count == 1, "failed puts leave \(rest.map(\.key.path))")
    },

    Check("ranges are exact") { subject, random in
        let key = subject.prefix / "ranges" / "object"
        let size = 300_000
        let bytes = random.bytes(size)
        try await subject.storage.put(key, bytes: bytes)
        let ranges: [Range<UInt64>] = [
            0..<1, 0..<UInt64(size), 1..<2, 4095..<4097, 100_000..<250_001, UInt64(size - 1)..<UInt64(size), 65_536..<131_072,
        ]
        for range in ranges { try await subject.expect(key, range, of: bytes) }
    },

    Check("a range past the end gives what there is") { subject, random in
        let key = subject.prefix / "past-the-end" / "object"
        let bytes = random.bytes(10_000)
        try await subject.storage.put(key, bytes: bytes)
        for range in [9_999..<10_001, 0..<20_000, 5_000..<UInt64(1 << 40), 10_000..<10_001, 20_000..<30_000] {
            try await subject.expect(key, range, of: bytes)
        }
    },

    Check("an empty range gives no bytes") { subject, random in
        let key = subject.prefix / "empty-range" / "object"
        let bytes = random.bytes(1000)
        try await subject.storage.put(key, bytes: bytes)
        for range: Range<UInt64> in [0..<0, 500..<500, 1000..<1000] { try await subject.expect(key, range, of: bytes) }
        let empty = subject.prefix / "empty-range" / "empty"
        try await subject.storage.put(empty, bytes: [])
        for range: Range<UInt64> in [0..<0, 0..<10] { try await subject.expect(empty, range, of: []) }
    },

    Check("opening what is missing is notFound") { subject, _ in
        let key = subject.prefix / "missing" / "object"
        try await expectError(.notFound, from: "open of a missing key") { _ = try await subject.storage.read(key) }
        try await expectError(.notFound, from: "open of a range of a missing key") {
            var source = try await subject.storage.open(key, range: 0..<10)
            _ = try await source.readAll()
        }
    },

    Check("stat of what is missing answers nothing") { subject, _ in
        let entry = try await subject.storage.stat(subject.prefix / "missing" / "object")
        try expect(entry == nil, "stat of a missing key answers an entry")
    },

    Check("remove removes") { subject, random in
        let folder = subject.prefix / "removed"
        let keys = (0..<3).map { folder / "object-\($0)" }
        for key in keys { try await subject.storage.put(key, bytes: random.bytes(100)) }
        try await subject.storage.remove(keys[1])
        try await subject.expectMissing(keys[1])
        for key in [keys[0], keys[2]] {
            let entry = try await subject.storage.stat(key)
            try expect(entry != nil, "removing '\(keys[1])' removed '\(key)'")
        }
        let bytes = random.bytes(50)
        try await subject.storage.put(keys[1], bytes: bytes)
        try await subject.expect(keys[1], holds: bytes)
    },

    Check("removing what is missing succeeds") { subject, _ in
        let folder = subject.prefix / "removed-missing"
        try await subject.storage.remove(folder / "never-there")
        try await subject.storage.put(folder / "object", bytes: [1])
        try await subject.storage.remove(folder / "object")
        try await subject.storage.remove(folder / "object")
        try await subject.storage.remove(folder / "no-folder" / "object")
    },
]

extension StorageSubject {
    func expect(_ key: Key, _ range: Range<UInt64>, of bytes: [UInt8]) async throws {
        let end = UInt64(bytes.count)
        let wanted = Array(bytes[Int(min(range.lowerBound, end))..<Int(min(range.upperBound, end))])
        var source = try await storage.open(key, range: range)
        try expectSame(try await source.readAll(), wanted, "\(words(range)) of \(bytes.count)")
    }
}

// Checks of Storage: nothing partial is ever seen, and any number of calls may be under way.

import BackstopCore
import Synchronization

let storageVisibilityChecks: [Check<StorageSubject>] = [
    Check("no part of a new object is seen while it is put") { subject, random in
        let storage = subject.storage
        let key = subject.prefix / "new" / "object"
        let findings = Findings()
        let bytes = random.bytes(3 << 20)
        var source = ScriptedSource(bytes, &random)
        source.pieces = 500_000...600_000
        source.endsLate = true
        source.observe = { given in
            do {
                if let entry = try await storage.stat(key) { findings.add("stat shows \(entry.size) bytes after \(given)") }
                if try await subject.listed(key) != nil { findings.add("list shows the object after \(given) bytes") }
                let seen = try await storage.read(key)
                findings.add("\(seen.count) bytes can be read after \(given) of \(bytes.count)")
            } catch let error as BackupError where error.code == .notFound {
            } catch {
                findings.add("looking at an object that is being put fails: \(describe(error))")
            }
        }
        _ = try await storage.put(key, from: &source, PutOptions())
        try findings.expectNone()
        try await subject.expect(key, holds: bytes)
    },

    Check("the old bytes are seen while they are replaced") { subject, random in
        let storage = subject.storage
        let key = subject.prefix / "old" / "object"
        let findings = Findings()
        let old = random.bytes(400_000)
        try await storage.put(key, bytes: old)
        let bytes = random.bytes(3 << 20)
        var source = ScriptedSource(bytes, &random)
        source.pieces = 500_000...600_000
        source.endsLate = true
        source.observe = { given in
            do {
                try await subject.expect(key, holds: old)
            } catch {
                findings.add("after \(given) bytes of the new object: \((error as? Broken)?.reason ?? describe(error))")
            }
        }
        _ = try await storage.put(key, from: &source, PutOptions())
        try findings.expectNone()
        try await subject.expect(key, holds: bytes)
    },

    Check("a reader at the same time sees one object or the other") { subject, random in
        let storage = subject.storage
        let key = subject.prefix / "polled" / "object"
        let versions = [random.bytes(150_000), random.bytes(700_000)]
        let rounds = 12
        let writing = Flag()
        let findings = Findings()
        try await storage.put(key, bytes: versions[0])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { writing.lower() }
                for round in 1...rounds { try await storage.put(key, bytes: versions[round % 2]) }
            }
            group.addTask {
                repeat {
                    let seen = try await storage.read(key)
                    if !versions.contains(seen) { findings.add("\(seen.count) bytes were read that nobody has put") }
                    let size = try await storage.stat(key)?.size
                    if size != 150_000 && size != 700_000 {
                        findings.add("stat says \(size.map(String.init) ?? "nothing") while replacing")
                    }
                    await Task.yield()
                } while writing.isUp
            }
            try await group.waitForAll()
        }
        try findings.expectNone()
        try await subject.expect(key, holds: versions[0])
    },

    Check("many puts and gets at a time") { subject, random in
        let storage = subject.storage
        let folder = subject.prefix / "parallel"
        let objects = (0..<24).map { (folder / "folder-\($0 % 3)" / "object-\($0)", random.bytes($0 * 20_000)) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (key, bytes) in objects {
                group.addTask {
                    try await storage.put(key, bytes: bytes)
                    try await subject.expect(key, holds: bytes)
                }
            }
            try await group.waitForAll()
        }
        for (key, bytes) in objects { try await subject.expect(key, holds: bytes) }
        let count = try await storage.list(folder, .all).count { $0.kind == .file }
        try expect(count == objects.count, "\(objects.count) objects were put, \(count) are listed")
    },

    Check("puts of one key at a time leave one of them") { subject, random in
        let storage = subject.storage
        let key = subject.prefix / "contended" / "object"
        let versions = (0..<8).map { random.bytes(50_000 + $0 * 30_000) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for bytes in versions { group.addTask { try await storage.put(key, bytes: bytes) } }
            try await group.waitForAll()
        }
        let seen = try await storage.read(key)
        try expect(versions.contains(seen), "what is there after \(versions.count) puts is none of them")
        try await subject.expect(key, holds: seen)
        let listed = try await storage.list(key.parent)
        try expect(listed.count == 1, "the puts leave \(listed.map(\.key.path))")
    },

    Check("what is put without durability is seen at once and can be synced") { subject, random in
        let folder = subject.prefix / "lazy"
        let objects = (0..<5).map { (folder / "folder-\($0)" / "object", random.bytes($0 * 10_000)) }
        for (key, bytes) in objects {
            try await subject.storage.put(key, bytes: bytes, PutOptions(durable: false))
            try await subject.expect(key, holds: bytes)
        }
        try await subject.storage.sync(folder)
        for (key, bytes) in objects { try await subject.expect(key, holds: bytes) }
        // Nothing to do is no error.
        try await subject.storage.sync(folder)
        try await subject.storage.sync(subject.prefix / "lazy-and-missing")
    },

    Check("put if absent") { subject, random in
        try subject.requirePutIfAbsent()
        let key = subject.prefix / "absent" / "object"
        let bytes = random.bytes(1000)
        try await subject.storage.put(key, bytes: bytes, PutOptions(ifAbsent: true))
        try await subject.expect(key, holds: bytes)
        let other = random.bytes(2000)
        try await expectError(.alreadyExists, from: "put of an existing key with ifAbsent") {
            try await subject.storage.put(key, bytes: other, PutOptions(ifAbsent: true))
        }
        try await subject.expect(key, holds: bytes)
        let listed = try await subject.storage.list(key.parent)
        try expect(listed.count == 1, "a put that was refused leaves \(listed.map(\.key.path))")
        try await subject.storage.remove(key)
        try await subject.storage.put(key, bytes: other, PutOptions(ifAbsent: true))
        try await subject.expect(key, holds: other)
    },

    Check("of many puts if absent one wins") { subject, random in
        try subject.requirePutIfAbsent()
        let storage = subject.storage
        let key = subject.prefix / "won" / "object"
        let versions = (0..<8).map { random.bytes(50_000 + $0) }
        let winners = try await withThrowingTaskGroup(of: Int?.self) { group in
            for (number, bytes) in versions.enumerated() {
                group.addTask {
                    do throws(BackupError) {
                        try await storage.put(key, bytes: bytes, PutOptions(ifAbsent: true))
                        return number
                    } catch {
                        try expect(error.code == .alreadyExists, "a put that lost fails with \(describe(error))")
                        return nil
                    }
                }
            }
            return try await group.reduce(into: [Int]()) { winners, number in if let number { winners.append(number) } }
        }
        try expect(winners.count == 1, "\(winners.count) of \(versions.count) puts with ifAbsent succeed")
        try await subject.expect(key, holds: versions[winners[0]])
    },
]

extension StorageSubject {
    fileprivate func requirePutIfAbsent() throws {
        guard storage.capabilities.contains(.putIfAbsent) else { throw NotApplicable(reason: "\(name) has no putIfAbsent") }
    }
}

private final class Flag: Sendable {
    private let up = Atomic<Bool>(true)
    var isUp: Bool { up.load(ordering: .acquiring) }
    func lower() { up.store(false, ordering: .releasing) }
}

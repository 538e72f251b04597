// Checks of Storage: nothing partial is ever seen, and what is refused changes nothing.

import BackstopCore

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

    Check("what is put without durability is seen at once and can be synced") { subject, random in
        let folder = subject.prefix / "lazy"
        let objects = (0..<6).map { (folder / "folder-\($0)" / "object", random.bytes($0 * 10_000)) }
        for (number, (key, bytes)) in objects.enumerated() {
            try await subject.storage.put(key, bytes: bytes, PutOptions(number % 2 == 0 ? .bySync : .never))
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

]

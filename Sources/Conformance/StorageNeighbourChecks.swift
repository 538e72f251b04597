// Checks of Storage: repositories that share a store do not know of each other.

import BackstopCore

let storageNeighbourChecks: [Check<StorageSubject>] = [
    Check("another path is another repository") { subject, random in
        guard let beside = subject.beside else { throw NotApplicable(reason: "\(subject.name) has one place only") }
        // One name is the beginning of the other.
        let one = try await beside("one"), other = try await beside("one-more")
        let key = Key("checks/object"), alone = Key("checks/alone")
        let bytes = random.bytes(1000), others = random.bytes(1500)
        try await one.put(key, bytes: bytes)
        try await one.put(alone, bytes: [1])
        let early = try await other.list(.root, .all).filter { $0.kind == .file }.map(\.key.path)
        try expect(early.isEmpty, "what was put into the repository of one path is listed in that of another: \(early)")
        try expect(try await other.stat(key) == nil, "what was put into the repository of one path is seen in that of another")
        try await other.put(key, bytes: others)
        try expectSame(try await one.read(key), bytes, "an object, after another repository has put the same name")
        try expectSame(try await other.read(key), others, "the same name in another repository")
        let listed = try await one.list(.root, .all).filter { $0.kind == .file }.map(\.key)
        try expect(listed == [alone, key], "a repository with two objects lists \(listed.map(\.path))")
        try await other.remove([key, alone])
        try expectSame(try await one.read(key), bytes, "an object, after another repository has removed the same name")
        try expect(try await one.stat(alone) != nil, "one repository has removed what is in another")
        for storage in [one, other] { try await storage.removeAll(.root) }
    }
]

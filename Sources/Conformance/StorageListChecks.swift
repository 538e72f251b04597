// Checks of Storage: listings and names.

import BackstopCore

let storageListChecks: [Check<StorageSubject>] = [
    Check("a folder listing shows what is directly in it") { subject, _ in
        let folder = subject.prefix / "listed"
        try await subject.plant(folder)
        let entries = try await subject.storage.list(folder, .folder)
        try subject.expect(entries, files: ["a": 1, "b.txt": 2], folders: ["deep", "other"], in: folder)
        let deep = try await subject.storage.list(folder / "deep", .folder)
        try subject.expect(deep, files: ["deep/c": 3], folders: ["deep/er"], in: folder)
    },

    Check("a listing of names with a beginning") { subject, _ in
        let folder = subject.prefix / "beginnings"
        for name in ["ab", "ab-1", "ab-2/x", "abc", "a", "b/ab-3", "AB-4", "ü-1"] {
            try await subject.storage.put(folder / name, bytes: [1])
        }
        let entries = try await subject.storage.list(folder, .names(beginningWith: "ab-"))
        try subject.expect(entries, files: ["ab-1": 1], folders: ["ab-2"], in: folder)
        for (beginning, wanted) in ["ab": ["ab", "ab-1", "ab-2", "abc"], "ü": ["ü-1"], "x": []] {
            let keys = try await subject.storage.list(folder, .names(beginningWith: beginning)).map(\.key)
            try BackstopConformance.expect(
                keys == wanted.map { folder / $0 }, "names that begin with '\(beginning)' are listed as \(keys.map(\.path))")
        }
        let missing = try await subject.storage.list(folder / "never-there", .names(beginningWith: "a"))
        try BackstopConformance.expect(missing.isEmpty, "a missing folder holds \(missing.map(\.key.path))")
    },

    Check("a whole listing shows everything below") { subject, _ in
        let folder = subject.prefix / "listed-whole"
        try await subject.plant(folder)
        let all = ["a": 1, "b.txt": 2, "deep/c": 3, "deep/er/d": 4, "deep/er/still/e": 5, "other/f": 6]
        let entries = try await subject.storage.list(folder, .all)
        try subject.expect(entries, files: all, folders: nil, in: folder)
        if subject.storage is any FileTree {
            let folders = entries.filter { $0.kind == .folder }.map(\.key)
            let wanted = ["deep", "deep/er", "deep/er/still", "other"].map { folder / $0 }
            try BackstopConformance.expect(folders == wanted, "the folders of a tree are listed as \(folders)")
        }
        let deep = try await subject.storage.list(folder / "deep", .all)
        try subject.expect(deep, files: all.filter { $0.key.hasPrefix("deep/") }, folders: nil, in: folder)
    },

    Check("a listing of what is missing is empty") { subject, _ in
        for depth in [Depth.folder, .all] {
            let entries = try await subject.storage.list(subject.prefix / "never-there" / "at-all", depth)
            try expect(entries.isEmpty, "a missing folder holds \(entries.map(\.key.path))")
        }
    },

    Check("a listing does not show neighbours") { subject, _ in
        let folder = subject.prefix / "neighbours"
        for name in ["a/x", "ab/x", "a.b", "a-b/x", "b/a/x"] { try await subject.storage.put(folder / name, bytes: [1]) }
        for depth in [Depth.folder, .all] {
            let entries = try await subject.storage.list(folder / "a", depth)
            try expect(entries.map(\.key) == [folder / "a" / "x"], "'a' holds \(entries.map(\.key.path))")
        }
    },

    Check("a listing is fresh") { subject, _ in
        let folder = subject.prefix / "fresh"
        for number in 0..<5 {
            try await subject.storage.put(folder / "object-\(number)", bytes: [UInt8](repeating: 1, count: number))
            let entries = try await subject.storage.list(folder)
            let wanted = Dictionary(uniqueKeysWithValues: (0...number).map { ("object-\($0)", $0) })
            try subject.expect(entries, files: wanted, folders: [], in: folder)
        }
        for number in 0..<4 {
            try await subject.storage.remove(folder / "object-\(number)")
            let entries = try await subject.storage.list(folder)
            try expect(entries.count == 4 - number, "after a removal the listing shows \(entries.map(\.key.path))")
        }
    },

    Check("the error of a visitor ends the listing") { subject, _ in
        let folder = subject.prefix / "visited"
        for number in 0..<5 { try await subject.storage.put(folder / "object-\(number)", bytes: [1]) }
        var visits = 0
        do throws(BackupError) {
            try await subject.storage.list(folder, .folder) { (_) throws(BackupError) in
                visits += 1
                if visits == 2 { throw ScriptedSource.failure }
            }
        } catch {
            try expect(error.code == .io, "the listing throws \(describe(error)) instead of the error of its visitor")
            return try expect(visits == 2, "after the visitor's error \(visits - 2) entries are visited")
        }
        throw Broken(reason: "a listing succeeds although its visitor threw")
    },

    Check("names are kept byte for byte") { subject, random in
        let folder = subject.prefix / "names"
        let names = [
            "with space", " leading", "trailing ", "100%", "%20", "a%2Fb", "a+b", "~tilde", "back\\slash", "quote'\"", "a&b<c>d", "q?x=1#f",
            "semi;colon:at@", "[1]{2}*", "$HOME `x` !", "comma,", "^|", ".hidden", "...", "-dash", "Case", "case", "übergröße", "日本語",
            "🗄️",
            // The same to the eye, two names for all that.
            "\u{e9}", "e\u{301}",
            "two\nlines", "a\ttab", "a\u{1}control",
        ].filter { !subject.namesNotKept.contains($0) }
        for (number, name) in names.enumerated() {
            try await subject.storage.put(folder / name, bytes: [UInt8](repeating: 7, count: number))
        }
        for (number, name) in names.enumerated() {
            try await subject.expect(folder / name, holds: [UInt8](repeating: 7, count: number))
        }
        let listed = try await subject.storage.list(folder).map(\.key)
        let wanted = names.map { folder / $0 }.sorted()
        let lost = wanted.filter { !listed.contains($0) }
        try expect(listed == wanted, "the names \(lost) are listed as \(listed.filter { !wanted.contains($0) })")
        for name in names { try await subject.storage.remove(folder / name) }
        let rest = try await subject.storage.list(folder)
        try expect(rest.isEmpty, "\(rest.map(\.key.path)) cannot be removed")
    },

    Check("folders with odd names") { subject, random in
        let folder = subject.prefix / "odd folders"
        for name in ["with space", "100%", "a+b~", "übergröße", "a&b"] {
            let key = folder / name / "object"
            let bytes = random.bytes(10)
            try await subject.storage.put(key, bytes: bytes)
            try await subject.expect(key, holds: bytes)
            let entries = try await subject.storage.list(folder / name, .all).filter { $0.kind == .file }
            try expect(entries.map(\.key) == [key], "the folder '\(name)' holds \(entries.map(\.key.path))")
        }
        let folders = try await subject.storage.list(folder)
        try expect(folders.count == 5 && folders.allSatisfy { $0.kind == .folder }, "the folders are \(folders.map(\.key.path))")
    },

    Check("long names and deep folders") { subject, random in
        // 255 bytes are what file systems allow in one name; driver temporaries must fit in besides.
        let names = [String(repeating: "x", count: 255), String(repeating: "ü", count: 127), "a" + String(repeating: "ü", count: 127)]
        let deep = (0..<30).reduce(subject.prefix / "deep") { folder, number in folder / "level-\(number)" }
        for key in names.map({ subject.prefix / "long" / $0 }) + [deep / "object"] {
            let bytes = random.bytes(1000)
            try await subject.storage.put(key, bytes: bytes)
            try await subject.expect(key, holds: bytes)
        }
        let found = try await subject.storage.list(subject.prefix / "deep", .all).filter { $0.kind == .file }
        try expect(found.map(\.key) == [deep / "object"], "thirty folders down there is \(found.map(\.key.path))")
    },

    Check("many are removed, the missing too") { subject, _ in
        let folder = subject.prefix / "removed-many"
        let keys = ["a", "b/c", "with space & <tag>", "ü+%"].map { folder / $0 }
        for key in keys { try await subject.storage.put(key, bytes: [1]) }
        try await subject.storage.put(folder / "stays", bytes: [1])
        try await subject.storage.remove([keys[0], folder / "never-there", keys[1]])
        try await subject.storage.remove(Array(keys[2...]))
        try await subject.storage.remove([])
        let rest = try await subject.storage.list(folder, .all).filter { $0.kind == .file }.map(\.key)
        try expect(rest == [folder / "stays"], "of what was removed and what was not there is \(rest.map(\.path))")
    },

    Check("removeAll leaves nothing") { subject, _ in
        let folder = subject.prefix / "emptied"
        try await subject.plant(folder)
        try await subject.storage.put(subject.prefix / "emptied-not", bytes: [1])
        try await subject.storage.removeAll(folder)
        let rest = try await subject.storage.list(folder, .all)
        try expect(rest.isEmpty, "removeAll leaves \(rest.map(\.key.path))")
        let neighbour = try await subject.storage.stat(subject.prefix / "emptied-not")
        try expect(neighbour != nil, "removeAll removes a neighbour")
    },
]

extension StorageSubject {
    /// A little tree; the size of each object is the number of its letter.
    fileprivate func plant(_ folder: Key) async throws {
        for (name, size) in ["a": 1, "b.txt": 2, "deep/c": 3, "deep/er/d": 4, "deep/er/still/e": 5, "other/f": 6] {
            try await storage.put(folder / name, bytes: [UInt8](repeating: 1, count: size))
        }
    }

    /// `folders` nil: those of a tree, or none.
    fileprivate func expect(_ entries: [Entry], files: [String: Int], folders: [String]?, in folder: Key) throws {
        let seen = entries.filter { $0.kind == .file }
        let wanted = files.map { folder / $0.key }.sorted()
        try BackstopConformance.expect(seen.map(\.key) == wanted, "the files are \(seen.map(\.key.path)), expected \(wanted.map(\.path))")
        for (name, size) in files {
            try Self.check(seen.first { $0.key == folder / name }, folder / name, size, "list")
        }
        if let folders {
            let seen = entries.filter { $0.kind == .folder }.map(\.key)
            let wanted = folders.map { folder / $0 }.sorted()
            try BackstopConformance.expect(seen == wanted, "the folders are \(seen.map(\.path)), expected \(wanted.map(\.path))")
        }
    }
}

/// All checks of the contract of `Storage`.
public let storageChecks: [Check<StorageSubject>] =
    storageContentChecks + storageVisibilityChecks + storageMomentChecks + storageListChecks + storageLifeChecks + storageNeighbourChecks

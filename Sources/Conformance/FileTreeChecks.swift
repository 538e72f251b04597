// Checks of FileTree: folders, links and attributes.

public import BackstopCore

/// A file tree with an empty folder in it for the checks.
public struct FileTreeSubject: ConformanceSubject {
    public let name: String
    /// Changed only below `prefix`.
    public let tree: any FileTree
    /// An empty folder; the checks leave their files below it.
    public let prefix: Key
    /// No link is made there that leads out of the tree.
    public let isConfined: Bool
    public let seed: UInt64

    public init(name: String, tree: any FileTree, prefix: Key, isConfined: Bool = false, seed: UInt64 = freshSeed()) {
        self.isConfined = isConfined
        self.name = name
        self.tree = tree
        self.prefix = prefix
        self.seed = seed
    }

    fileprivate func entry(_ key: Key, _ kind: Entry.Kind) async throws -> Entry {
        guard let entry = try await tree.stat(key) else { throw Broken(reason: "'\(key)' is missing") }
        try expect(entry.key == key && entry.kind == kind, "'\(entry.key)' is a \(entry.kind.rawValue), expected a \(kind.rawValue)")
        let listed = try await tree.list(key.parent).first { $0.key == key }
        try expect(listed?.kind == kind, "'\(key)' is listed as a \(listed?.kind.rawValue ?? "thing that is not there")")
        return entry
    }
}

/// All checks of what `FileTree` adds to `Storage`.
public let fileTreeChecks: [Check<FileTreeSubject>] = [
    Check("a folder is made with those above it") { subject, _ in
        let folder = subject.prefix / "made" / "below" / "that"
        try await subject.tree.makeDirectory(folder, Attributes())
        for key in [folder, folder.parent, folder.parent.parent] { _ = try await subject.entry(key, .folder) }
        let all = try await subject.tree.list(subject.prefix / "made", .all)
        try expect(all.map(\.key) == [folder.parent, folder], "the new folders are listed as \(all.map(\.key.path))")
    },

    Check("making a folder that exists leaves it") { subject, random in
        let folder = subject.prefix / "again"
        let bytes = random.bytes(100)
        try await subject.tree.makeDirectory(folder, Attributes(mode: 0o700))
        try await subject.tree.put(folder / "file", bytes: bytes)
        try await subject.tree.makeDirectory(folder, Attributes())
        try expectSame(try await subject.tree.read(folder / "file"), bytes, "the file in a folder that was made again")
        let mode = try await subject.entry(folder, .folder).attributes.mode
        try expect(mode == 0o700, "making the folder again made its mode \(octal(mode))")
        try await subject.tree.makeDirectory(folder, Attributes(mode: 0o750))
        let changed = try await subject.entry(folder, .folder).attributes.mode
        try expect(changed == 0o750, "making the folder again with mode 0750 left the mode \(octal(changed))")
    },

    Check("a folder is not made over a file") { subject, _ in
        let key = subject.prefix / "file-there"
        try await subject.tree.put(key, bytes: [1])
        var failed = false
        do { try await subject.tree.makeDirectory(key, Attributes()) } catch { failed = true }
        try expect(failed, "a folder is made where a file is")
        _ = try await subject.entry(key, .file)
    },

    Check("an empty folder is removed, a missing one is no error") { subject, _ in
        let folder = subject.prefix / "gone"
        try await subject.tree.makeDirectory(folder, Attributes())
        try await subject.tree.removeDirectory(folder)
        let entry = try await subject.tree.stat(folder)
        try expect(entry == nil, "the removed folder is there")
        try await subject.tree.removeDirectory(folder)
    },

    Check("a folder that is not empty is not removed") { subject, _ in
        let folder = subject.prefix / "full"
        try await subject.tree.put(folder / "file", bytes: [1, 2, 3])
        var failed = false
        do { try await subject.tree.removeDirectory(folder) } catch { failed = true }
        try expect(failed, "a folder with a file in it is removed")
        try expectSame(try await subject.tree.read(folder / "file"), [1, 2, 3], "the file in the folder")
    },

    Check("removing the last file leaves the folder") { subject, _ in
        let folder = subject.prefix / "left"
        try await subject.tree.makeDirectory(folder, Attributes())
        try await subject.tree.put(folder / "file", bytes: [1])
        try await subject.tree.remove(folder / "file")
        _ = try await subject.entry(folder, .folder)
    },

    Check("a symbolic link keeps its text") { subject, random in
        guard subject.tree.capabilities.contains(.symbolicLinks) else { throw NotApplicable(reason: "no symbolic links") }
        let texts = ["../relative", "file", "nowhere/ü b"] + (subject.isConfined ? [] : ["/absolute/target"])
        for (number, target) in texts.enumerated() {
            let key = subject.prefix / "links" / "link-\(number)"
            try await subject.tree.link(key, to: target, .symbolic)
            let entry = try await subject.entry(key, .link)
            try expect(entry.target == target, "the link to '\(target)' leads to '\(entry.target ?? "")'")
            try expect(entry.size == 0, "a link has \(entry.size) bytes")
        }
    },

    Check("removing a link leaves its target") { subject, random in
        guard subject.tree.capabilities.contains(.symbolicLinks) else { throw NotApplicable(reason: "no symbolic links") }
        let folder = subject.prefix / "unlinked"
        try await subject.tree.put(folder / "file", bytes: [1, 2, 3])
        try await subject.tree.link(folder / "link", to: "file", .symbolic)
        try await subject.tree.remove(folder / "link")
        try expectSame(try await subject.tree.read(folder / "file"), [1, 2, 3], "the target of a removed link")
        let entry = try await subject.tree.stat(folder / "link")
        try expect(entry == nil, "the removed link is there")
    },

    Check("a hard link is the same file under another name") { subject, random in
        guard subject.tree.capabilities.contains(.hardLinks) else { throw NotApplicable(reason: "no hard links") }
        let folder = subject.prefix / "hard"
        let bytes = random.bytes(10_000)
        try await subject.tree.put(folder / "file", bytes: bytes)
        try await subject.tree.link(folder / "other" / "name", to: (folder / "file").path, .hard)
        _ = try await subject.entry(folder / "other" / "name", .file)
        try await subject.tree.put(folder / "file", bytes: [1])
        try expectSame(try await subject.tree.read(folder / "other" / "name"), bytes, "the other name after the first was put anew")
    },

    Check("a link is not made over what is there") { subject, random in
        guard subject.tree.capabilities.contains(.symbolicLinks) else { throw NotApplicable(reason: "no symbolic links") }
        let key = subject.prefix / "taken"
        try await subject.tree.put(key, bytes: [1, 2, 3])
        try await expectError(.alreadyExists, from: "a link over a file") { try await subject.tree.link(key, to: "file", .symbolic) }
        try expectSame(try await subject.tree.read(key), [1, 2, 3], "the file")
    },

    Check("put sets mode and time") { subject, random in
        for (number, mode) in [UInt32(0o600), 0o640, 0o644, 0o400].enumerated() {
            let key = subject.prefix / "attributes" / "file-\(number)"
            let modified = 1_600_000_000 + Int64(number)
            try await subject.tree.put(key, bytes: [1], PutOptions(attributes: Attributes(mode: mode, modified: modified)))
            let entry = try await subject.entry(key, .file)
            try expect(entry.attributes.mode == mode, "put with mode \(octal(mode)) makes \(octal(entry.attributes.mode))")
            try expect(entry.modified == modified, "put with time \(modified) makes \(entry.modified)")
        }
    },

    Check("attributes are set, and those not named are left") { subject, random in
        let key = subject.prefix / "set" / "file"
        try await subject.tree.put(key, bytes: [1], PutOptions(attributes: Attributes(mode: 0o600, modified: 1_600_000_000)))
        try await subject.tree.setAttributes(key, Attributes(mode: 0o644))
        let first = try await subject.entry(key, .file)
        try expect(first.attributes.mode == 0o644, "the mode is \(octal(first.attributes.mode))")
        try expect(first.modified == 1_600_000_000, "setting the mode made the time \(first.modified)")
        try await subject.tree.setAttributes(key, Attributes(modified: 1_500_000_000))
        let second = try await subject.entry(key, .file)
        try expect(second.attributes.mode == 0o644, "setting the time made the mode \(octal(second.attributes.mode))")
        try expect(second.modified == 1_500_000_000, "the time is \(second.modified)")
        try expect(first.attributes.user != nil && first.attributes.group != nil, "a file of this process has no owner's name")
        try await subject.tree.setAttributes(key, Attributes(user: first.attributes.user, group: first.attributes.group))
        try expectSame(try await subject.tree.read(key), [1], "the file")
    },
]

private func octal(_ mode: UInt32?) -> String { mode.map { "0" + String($0, radix: 8) } ?? "nothing" }

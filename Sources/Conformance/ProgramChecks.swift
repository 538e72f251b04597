// Checks of drivers that are programs: a process for each request, names that are refused, and conversations that break off.

import BackstopCore
import Synchronization

/// All checks of what the protocol asks of a program besides the contract of `Storage`.
public let programChecks: [Check<StorageSubject>] = [
    Check("requests at a time have a process each") { subject, random in
        let program = try subject.requireProgram()
        let folder = subject.prefix / "processes"
        let objects = (0..<requestsAtOnce).map { (key: folder / "object-\($0)", bytes: random.bytes(5000)) }
        let processes = Mutex<Set<Int32>>([])
        let results = try await subject.putTogether(objects) { processes.withLock { $0 = program.processesAtWork } }
        for result in results { _ = try result.get() }
        let count = processes.withLock { $0.count }
        try expect(count >= requestsAtOnce, "\(requestsAtOnce) puts were under way in \(count) processes")
        for (key, bytes) in objects { try await subject.expect(key, holds: bytes) }
    },

    Check("what is no name is refused") { subject, _ in
        _ = try subject.requireProgram()
        let folder = subject.prefix / "refused"
        try await subject.storage.put(folder / "inside", bytes: [1])
        for (wrong, what) in wrongNames(in: folder) {
            for (operation, request) in requests {
                do throws(BackupError) {
                    try await request(subject.storage, Key(wrong))
                } catch {
                    try expect(
                        error.code == .invalid, "\(operation) of \(what) fails with \(describe(error)), it has to be refused as 'invalid'")
                    continue
                }
                throw Broken(reason: "\(operation) of \(what) succeeds, it has to be refused as 'invalid'")
            }
        }
        try await expectError(.invalid, from: "put of an empty name") { try await subject.storage.put(.root, bytes: [1]) }
        let rest = try await subject.storage.list(subject.prefix, .all).filter { $0.kind == .file && $0.key.path.hasBytes(folder.path) }
        try expect(rest.map(\.key) == [folder / "inside"], "after names that are none there is \(rest.map(\.key.path))")
    },

    Check("a put that breaks off leaves what was there") { subject, random in
        let program = try subject.requireProgram()
        let folder = subject.prefix / "broken-off"
        let old = random.bytes(3000)
        try await subject.storage.put(folder / "old", bytes: old)
        for (way, words) in [(ProgramEnd.endOfInput, "its input ended"), (.kill, "it was killed")] {
            for count in [0, 1, 3_000_000] {
                for name in ["new", "old"] {
                    _ = try program.breakOff(put: folder / name, random.bytes(count), by: way, within: endOfProgram)
                    let what = "after \(count) bytes of a put, when \(words)"
                    let entry = try await subject.storage.stat(folder / "new")
                    try expect(entry == nil, "\(what), the object is there, with \(entry?.size ?? 0) bytes")
                    try expectSame(try await subject.storage.read(folder / "old"), old, "the old object \(what)")
                    var listed = try await subject.storage.list(folder).map(\.key)
                    // A killed process cannot remove what it has begun; a name that ends so is known to be no object.
                    if way == .kill { listed.removeAll { $0.name.hasBytesAtEnd(".pgbackrest.tmp") } }
                    try expect(listed == [folder / "old"], "\(what), there is \(listed.map(\.path))")
                }
            }
        }
    },

    Check("a process ends when its input ends") { subject, _ in
        let program = try subject.requireProgram()
        guard let status = try program.breakOff(put: nil, [], by: .endOfInput, within: endOfProgram) else {
            throw Broken(reason: "it still runs \(endOfProgram) after its input has ended")
        }
        try expect(status == 0, "when its input ended between two requests it ended with \(endText(status)), not with status 0")
        guard try program.breakOff(put: subject.prefix / "ended", [1, 2, 3], by: .endOfInput, within: endOfProgram) != nil else {
            throw Broken(reason: "it still runs \(endOfProgram) after its input has ended in the middle of a put")
        }
    },
]

private let endOfProgram = Duration.seconds(20)

extension StorageSubject {
    fileprivate func requireProgram() throws -> any ProgramStorage {
        guard let program = storage as? any ProgramStorage else { throw NotApplicable(reason: "\(name) is no program") }
        return program
    }
}

/// What docs/driver-protocol.md says that a name is not, with words for it.
private func wrongNames(in folder: Key) -> [(String, String)] {
    let inside = folder.path
    return [
        ("..", "'..'"), ("../outside", "'../outside'"), ("\(inside)/../outside", "a name with '..' in it"),
        ("\(inside)/..", "a name that ends in '..'"),
        (".", "'.'"), ("\(inside)/./x", "a name with the part '.'"), ("\(inside)//x", "a name with an empty part"),
        ("/\(inside)/x", "a name that begins with '/'"), ("\(inside)/x/", "a name that ends in '/'"),
        ("\(inside)/a\0b", "a name with a NUL"), ("\(inside)/" + String(repeating: "x", count: 256), "a name with a part of 256 bytes"),
        ("\(inside)/" + String(repeating: "ü", count: 150) + "/x", "a name with a part of 300 bytes"),
    ]
}

private let requests: [(String, @Sendable (any Storage, Key) async throws(BackupError) -> Void)] = [
    ("put", { (storage, key) async throws(BackupError) in try await storage.put(key, bytes: [1]) }),
    ("stat", { (storage, key) async throws(BackupError) in _ = try await storage.stat(key) }),
    ("open", { (storage, key) async throws(BackupError) in _ = try await storage.read(key) }),
    ("list", { (storage, key) async throws(BackupError) in _ = try await storage.list(key, .folder) }),
    ("remove", { (storage, key) async throws(BackupError) in try await storage.remove(key) }),
]

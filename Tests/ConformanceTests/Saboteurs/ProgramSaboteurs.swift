// Drivers that are programs, broken on purpose in what only programs can do wrong. There are no processes here, only what is told of them.

import BackstopCore
import BackstopDrivers
import Synchronization

enum ProgramFault: String, CaseIterable {
    case answersAllInOneProcess, takesAnyName, refusesWithAnotherCode, commitsAtTheEndOfInput, commitsWhenKilled, removesAtTheEndOfInput
    case staysAfterTheEndOfInput, endsWithAStatus

    var caughtBy: String {
        switch self {
        case .answersAllInOneProcess: "requests at a time have a process each"
        case .takesAnyName, .refusesWithAnotherCode: "what is no name is refused"
        case .commitsAtTheEndOfInput, .commitsWhenKilled, .removesAtTheEndOfInput: "a put that breaks off leaves what was there"
        case .staysAfterTheEndOfInput, .endsWithAStatus: "a process ends when its input ends"
        }
    }
}

final class FaultyProgram: ProgramStorage {
    private let memory = MemoryStorage()
    private let fault: ProgramFault?
    private let underWay = Mutex<Set<Int32>>([])
    private let left = Mutex<[Key: [UInt8]?]>([:])

    init(_ fault: ProgramFault?) { self.fault = fault }

    var capabilities: Capabilities { memory.capabilities }
    var location: String { "faulty" }

    private func checked(_ key: Key) throws(BackupError) {
        if fault == .takesAnyName { return }
        let parts = key.path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { String($0) ?? "" }
        guard parts.allSatisfy({ !["", ".", ".."].contains($0) && $0.utf8.count <= 255 && !$0.utf8.contains(0) }) else {
            throw BackupError(fault == .refusesWithAnotherCode ? .io : .invalid, "it is no name")
        }
    }

    /// A process that ended its conversation may still store what it has.
    private func settle() async throws(BackupError) {
        let found = left.withLock { left in
            defer { left = [:] }
            return left
        }
        for (key, bytes) in found {
            if let bytes { try await memory.put(key, bytes: bytes) } else { try await memory.remove(key) }
        }
    }

    func open(_ key: Key, range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable {
        try checked(key)
        try await settle()
        return try await memory.open(key, range: range)
    }

    func put<Source: ByteSource & ~Copyable>(
        _ key: Key, from source: inout Source, _ options: PutOptions
    ) async throws(BackupError) -> Entry {
        try checked(key)
        let number = underWay.withLock { underWay in
            let number = fault == .answersAllInOneProcess ? 1 : (underWay.max() ?? 0) + 1
            underWay.insert(number)
            return number
        }
        defer { underWay.withLock { _ = $0.remove(number) } }
        return try await memory.put(key, from: &source, options)
    }

    func stat(_ key: Key) async throws(BackupError) -> Entry? {
        try checked(key)
        try await settle()
        return try await memory.stat(key)
    }

    func list(_ prefix: Key, _ depth: Depth, _ visit: (Entry) throws(BackupError) -> Void) async throws(BackupError) {
        if !prefix.isRoot { try checked(prefix) }
        try await settle()
        try await memory.list(prefix, depth, visit)
    }

    func remove(_ key: Key) async throws(BackupError) {
        try checked(key)
        try await memory.remove(key)
    }

    func sync(_ prefix: Key) async throws(BackupError) {}

    var processesAtWork: Set<Int32> { underWay.withLock { $0 } }

    func breakOff(put key: Key?, _ bytes: [UInt8], by end: ProgramEnd, within limit: Duration) throws(BackupError) -> Int32? {
        switch (fault, end, key) {
        case (.commitsAtTheEndOfInput, .endOfInput, let key?), (.commitsWhenKilled, .kill, let key?):
            left.withLock { $0[key] = .some(bytes) }
        case (.removesAtTheEndOfInput, .endOfInput, let key?): left.withLock { $0[key] = .some(nil) }
        case (.staysAfterTheEndOfInput, .endOfInput, _): return nil
        case (.endsWithAStatus, .endOfInput, _): return 1 << 8
        default: break
        }
        return end == .kill ? 9 : 0
    }

    func endProcesses() {}
}

// A server of SFTP in this process: one that keeps its files in memory, does what it is told to do wrong, and is spoken to without SSH.

@testable import BackstopDrivers
import BackstopCore
import Foundation
import Synchronization

/// The files, shared by all connections.
final class SFTPDouble: Sendable {
    struct Habits: Sendable {
        /// Answers come in any order.
        var shuffles = false
        /// Most bytes that one read gives.
        var mostRead = 1 << 20
        /// Bytes that arrive at a time, at most.
        var pieces = 1 << 20
        /// Lists tell names only.
        var tellsAttributes = true
        var tellsSize = true
        var statusHasText = true
        var extensions: Set<String> = ["posix-rename@openssh.com", "fsync@openssh.com", "hardlink@openssh.com"]
        /// What is asked for and refused, with the status: names of requests and of extensions. Of files below `/srv/bad` only.
        var refusals: [String: UInt32] = [:]
        /// Changes what is sent: a packet with its length before it.
        var spoil: (@Sendable ([UInt8], inout SystemRandom) -> [UInt8])?
        var seed: UInt64 = 1
    }

    /// What an open handle goes on to see, whatever its name leads to meanwhile.
    fileprivate final class File: Sendable {
        let bytes = Mutex<[UInt8]>([])
    }

    fileprivate final class Content: Sendable {
        let files = Mutex<[Key: File]>([:])
        let folders = Mutex<Set<Key>>([Key("/")])
    }

    fileprivate let content: Content
    let habits: Habits

    /// `sharing`: another server that has the same files.
    init(_ habits: Habits = Habits(), sharing other: SFTPDouble? = nil) {
        self.habits = habits
        content = other?.content ?? Content()
    }

    func connect() -> any ByteChannel { SFTPDoubleChannel(self) }

    func storage(_ log: Log = Log()) async throws -> any Storage {
        let settings = SFTPSettings(host: "double", user: "nobody", privateKeyFile: "/none", root: "/srv")
        return try await SFTPStorage.open(settings, log) { (_) throws(BackupError) in self.connect() }
    }
}

struct SystemRandom: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

private final class SFTPDoubleChannel: ByteChannel {
    var patience = Duration.seconds(1)
    var outlivesCancellation = false
    private let server: SFTPDouble
    private var habits: SFTPDouble.Habits { server.habits }
    private var random: SystemRandom
    private var received: [UInt8] = []
    private var answers: [[UInt8]] = []
    private var stream: [UInt8] = []
    private var taken = 0
    /// A file's path, or the names of a folder that are still to be told.
    private var handles: [UInt32: (path: String, names: [String]?, file: SFTPDouble.File?)] = [:]
    private var lastHandle: UInt32 = 0

    init(_ server: SFTPDouble) {
        self.server = server
        random = SystemRandom(seed: server.habits.seed)
    }

    func readNow(into buffer: UnsafeMutableRawBufferPointer) throws(BackupError) -> Int? {
        answers.isEmpty && taken == stream.count ? nil : try read(into: buffer)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(BackupError) -> Int {
        if taken == stream.count {
            if answers.isEmpty { throw BackupError(.unavailable, "the double has nothing to say") }
            if habits.shuffles { answers.shuffle(using: &random) }
            stream = answers.flatMap { packet in habits.spoil.map { $0(packet, &random) } ?? packet }
            answers = []
            taken = 0
        }
        let count = min(buffer.count, stream.count - taken, Int.random(in: 1...habits.pieces, using: &random))
        stream[taken..<taken + count].withUnsafeBytes { buffer.copyMemory(from: $0) }
        taken += count
        return count
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(BackupError) -> Int {
        let taken = min(bytes.count, Int.random(in: 1...max(habits.pieces, 10_000), using: &random))
        received += bytes[..<taken]
        var position = 0
        while received.count - position >= 4 {
            let length = Int(received[position..<position + 4].reduce(0) { $0 << 8 | UInt32($1) })
            guard received.count - position >= 4 + length else { break }
            let packet = Array(received[position + 4..<position + 4 + length])
            position += 4 + length
            guard let answer = packet.withUnsafeBytes({ try? self.answer(PacketReader($0)) }) else {
                throw BackupError(.assertion, "the driver sends what is no request: \(packet.prefix(40))")
            }
            answers.append(Self.number(UInt32(answer.count)) + answer)
        }
        received.removeFirst(position)
        return taken
    }

    // MARK: The server

    private static func number(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
    private static func string(_ bytes: some Collection<UInt8>) -> [UInt8] { number(UInt32(bytes.count)) + bytes }

    private func status(_ id: UInt32, _ code: UInt32) -> [UInt8] {
        [101] + Self.number(id) + Self.number(code) + (habits.statusHasText ? Self.string("words".utf8) + Self.string([]) : [])
    }

    private func attributes(_ mode: UInt32, _ size: Int) -> [UInt8] {
        Self.number(habits.tellsSize ? 0xD : 0xC) + (habits.tellsSize ? Self.number(0) + Self.number(UInt32(size)) : [])
            + Self.number(mode) + Self.number(1_700_000_000) + Self.number(1_700_000_000)
    }

    private func attributes(_ path: String) -> [UInt8]? {
        if let file = server.content.files.withLock({ $0[Key(path)] }) { return attributes(0o100640, file.bytes.withLock { $0.count }) }
        return server.content.folders.withLock { $0.contains(Key(path)) } ? attributes(0o040750, 4096) : nil
    }

    private func handle(_ id: UInt32, _ path: String, _ names: [String]?) -> [UInt8] {
        lastHandle += 1
        handles[lastHandle] = (path, names, names == nil ? server.content.files.withLock { $0[Key(path)] } : nil)
        return [102] + Self.number(id) + Self.string(Self.number(lastHandle))
    }

    private func parent(_ path: String) -> String {
        let parent = path.split(separator: "/").dropLast().joined(separator: "/")
        return "/" + parent
    }

    private func answer(_ packet: PacketReader) throws -> [UInt8] {
        var reader = packet
        let kind = SFTPSession.Kind(rawValue: try reader.byte())
        if kind == .initialise {
            return [2] + Self.number(3) + habits.extensions.sorted().flatMap { Self.string($0.utf8) + Self.string("1".utf8) }
        }
        let id = try reader.number()
        func text() throws -> String { String(decoding: try reader.string(), as: UTF8.self) }
        func opened() throws -> UInt32 {
            // What was spoilt on its way to the client comes back so.
            let handle = try reader.string()
            return handle.count == 4 ? handle.reduce(0) { $0 << 8 | UInt32($1) } : 0
        }
        func status(_ code: UInt32) -> [UInt8] { self.status(id, code) }
        let ok: UInt32 = 0, end: UInt32 = 1, missing: UInt32 = 2, failed: UInt32 = 4
        if let status = try refusal(packet) { return self.status(id, status) }
        switch kind {
        case .open:
            let path = try text(), flags = try reader.number()
            if flags & 8 != 0 {
                guard server.content.folders.withLock({ $0.contains(Key(parent(path))) }) else { return status(missing) }
                let isNew = server.content.files.withLock { files in
                    if files[Key(path)] != nil { return false }
                    files[Key(path)] = SFTPDouble.File()
                    return true
                }
                if !isNew { return status(failed) }
            } else if attributes(path) == nil {
                return status(missing)
            }
            return handle(id, path, nil)
        case .close: return status(handles.removeValue(forKey: try opened()) == nil ? failed : ok)
        case .read:
            guard let file = handles[try opened()]?.file?.bytes.withLock({ $0 }) else { return status(failed) }
            let offset = Int(clamping: try reader.longNumber()), count = Int(try reader.number())
            if offset >= file.count { return status(end) }
            return [103] + Self.number(id) + Self.string(file[offset..<min(file.count, offset + min(count, habits.mostRead))])
        case .write:
            guard let file = handles[try opened()]?.file else { return status(failed) }
            let offset = Int(try reader.longNumber()), bytes = try reader.string()
            file.bytes.withLock { file in
                if file.count < offset + bytes.count { file += [UInt8](repeating: 0, count: offset + bytes.count - file.count) }
                file.replaceSubrange(offset..<offset + bytes.count, with: bytes)
            }
            return status(ok)
        case .lstat, .stat: return attributes(try text()).map { [105] + Self.number(id) + $0 } ?? status(missing)
        case .fstat:
            guard let file = handles[try opened()]?.file else { return status(failed) }
            return [105] + Self.number(id) + attributes(0o100640, file.bytes.withLock { $0.count })
        case .opendir:
            let path = try text()
            guard server.content.folders.withLock({ $0.contains(Key(path)) }) else { return status(missing) }
            let all = server.content.files.withLock { $0.keys.map(\.path) } + server.content.folders.withLock { $0.map(\.path) }
            let inside = all.filter { $0 != "/" && sameBytes(parent($0), path) }.map { String($0.split(separator: "/").last ?? "") }
            return handle(id, path, [".", ".."] + inside)
        case .readdir:
            let number = try opened()
            guard let (path, names, _) = handles[number], let names else { return status(failed) }
            if names.isEmpty { return status(end) }
            let count = min(names.count, Int.random(in: 1...5, using: &random))
            handles[number] = (path, Array(names.dropFirst(count)), nil)
            return [104] + Self.number(id) + Self.number(UInt32(count))
                + names.prefix(count).flatMap { name in
                    Self.string(name.utf8) + Self.string([])
                        + ((habits.tellsAttributes ? attributes(path == "/" ? "/\(name)" : "\(path)/\(name)") : nil) ?? Self.number(0))
                }
        case .remove:
            let path = try text()
            return status(server.content.files.withLock { $0.removeValue(forKey: Key(path)) } == nil ? missing : ok)
        case .mkdir:
            let path = try text()
            guard server.content.folders.withLock({ $0.contains(Key(parent(path))) }) else { return status(missing) }
            if server.content.files.withLock({ $0[Key(path)] != nil }) { return status(failed) }
            return status(server.content.folders.withLock { $0.insert(Key(path)).inserted } ? ok : failed)
        case .rmdir:
            let path = try text()
            let isEmpty =
                !server.content.files.withLock { $0.keys.contains { sameBytes(parent($0.path), path) } }
                && !server.content.folders.withLock { $0.contains { $0.path != "/" && sameBytes(parent($0.path), path) } }
            guard isEmpty else { return status(failed) }
            return status(server.content.folders.withLock { $0.remove(Key(path)) } == nil ? missing : ok)
        case .rename: return status(try move(text(), text(), replaces: false, keeps: false))
        case .extended:
            let name = try text()
            guard habits.extensions.contains(name) else { return status(8) }
            switch name {
            case "posix-rename@openssh.com": return status(try move(text(), text(), replaces: true, keeps: false))
            case "hardlink@openssh.com": return status(try move(text(), text(), replaces: false, keeps: true))
            default: return status(handles[try opened()] == nil ? failed : ok)
            }
        default: return status(8)
        }
    }

    private func refusal(_ packet: PacketReader) throws -> UInt32? {
        var reader = packet
        guard let kind = SFTPSession.Kind(rawValue: try reader.byte()) else { return nil }
        _ = try reader.number()
        let first = Array(try reader.string())
        let name = kind == .extended ? String(decoding: first, as: UTF8.self) : "\(kind)"
        guard let status = habits.refusals[name] else { return nil }
        let second = kind == .extended ? Array(try reader.string()) : first
        let path =
            second.count == 4 ? handles[second.reduce(0) { $0 << 8 | UInt32($1) }]?.path ?? "" : String(decoding: second, as: UTF8.self)
        return path.hasPrefix("/srv/bad") ? status : nil
    }

    private func move(_ old: String, _ new: String, replaces: Bool, keeps: Bool) -> UInt32 {
        server.content.files.withLock { files in
            guard let file = files[Key(old)] else { return 2 }
            if files[Key(new)] != nil && !replaces { return 4 }
            if !keeps { files[Key(old)] = nil }
            files[Key(new)] = file
            return 0
        }
    }
}

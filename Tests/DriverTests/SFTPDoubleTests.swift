@testable import BackstopDrivers
import BackstopConformance
import BackstopCore
import EndToEndSupport
import Foundation
import Testing

/// What OpenSSH never does: other servers do it, and hostile ones do worse.
@Suite struct SFTPDoubleTests {
    enum Kind: String, CaseIterable {
        case plain, shuffling = "answers in any order", stingy = "gives little", silent = "tells no more than it must"

        var habits: SFTPDouble.Habits {
            var habits = SFTPDouble.Habits()
            switch self {
            case .plain: break
            case .shuffling:
                habits.shuffles = true
                habits.pieces = 100_000
            case .stingy:
                habits.mostRead = 10_000
                habits.pieces = 5000
            case .silent:
                habits.tellsAttributes = false
                habits.statusHasText = false
            }
            return habits
        }
    }

    @Test(arguments: Kind.allCases, storageChecks)
    func storage(_ kind: Kind, _ check: Check<StorageSubject>) async throws {
        let subject = StorageSubject(name: kind.rawValue, storage: try await SFTPDouble(kind.habits).storage(), prefix: Key("checks"))
        try settle(try await check.run(on: subject), check.name, lacking: ["another path is another repository"])
    }

    /// A file's end is found where its size is not told.
    @Test func noSizes() async throws {
        var habits = SFTPDouble.Habits()
        habits.tellsSize = false
        let storage = try await SFTPDouble(habits).storage()
        for size in [0, 1, 32_768, 40_000, 3_000_000] {
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 8) }
            try await storage.put(Key("object"), bytes: bytes)
            #expect(try await storage.read(Key("object")) == bytes)
        }
    }

    /// A put that fails at one of its steps leaves nothing behind, and the old object as it was.
    @Test(
        arguments: [
            ("write", 4, BackupError.Code.fileWrite), ("fsync@openssh.com", 4, .fileWrite), ("close", 4, .fileWrite),
            ("posix-rename@openssh.com", 4, .fileWrite), ("posix-rename@openssh.com", 3, .denied), ("write", 7, .unavailable),
            ("open", 3, .denied),
            ("open", 4, .fileWrite), ("write", 99, .fileWrite),
        ] as [(String, UInt32, BackupError.Code)])
    func refusedStep(_ step: String, _ status: UInt32, _ code: BackupError.Code) async throws {
        var habits = SFTPDouble.Habits()
        let double = SFTPDouble(habits)
        try await double.storage().put(Key("bad/object"), bytes: [1, 2, 3])
        habits.refusals = [step: status]
        let storage = try await SFTPDouble(habits, sharing: double).storage()
        for key in [Key("bad/object"), Key("bad/other")] {
            let error = await #expect(throws: BackupError.self) {
                try await storage.put(key, bytes: [UInt8](repeating: 1, count: 5_000_000))
            }
            #expect(error?.code == code && error?.message.contains("sftp://double/srv/\(key)") == true, "\(error as Any)")
        }
        #expect(try await storage.list(Key("bad")).map(\.key.path) == ["bad/object"])
        #expect(try await double.storage().read(Key("bad/object")) == [1, 2, 3])
        try await storage.put(Key("good/object"), bytes: [4])
    }

    /// Whatever a server says: an error or an answer, in the end, and a sound server is believed again afterwards.
    @Test(arguments: 1...300)
    func garbage(_ seed: UInt64) async throws {
        var habits = SFTPDouble.Habits()
        habits.seed = seed
        habits.shuffles = seed % 3 == 0
        habits.pieces = seed % 2 == 0 ? 7 : 1 << 20
        habits.spoil = { packet, random in
            var packet = packet
            guard Int.random(in: 0..<8, using: &random) == 0 else { return packet }
            let place = Int.random(in: 0..<packet.count, using: &random)
            switch Int.random(in: 0..<7, using: &random) {
            case 0: packet[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: packet[place] = UInt8.random(in: .min ... .max, using: &random)
            case 2: packet.removeLast(packet.count - place)
            case 3: packet.insert(contentsOf: (0..<Int.random(in: 1...20, using: &random)).map { _ in UInt8(place & 255) }, at: place)
            case 4: packet.replaceSubrange(min(place, packet.count - 1)..<packet.count, with: [255, 255, 255, 255])
            case 5: packet += packet
            default: for index in 0..<min(4, packet.count - place) { packet[place + index] = 255 }
            }
            return packet
        }
        let double = SFTPDouble(habits)
        // Each may fail; none may trap, hang, or answer with more than was asked for.
        for _ in 0..<5 {
            guard let storage = try? await double.storage() else { continue }
            _ = try? await storage.put(Key("a/b"), bytes: [UInt8](repeating: 7, count: 300_000))
            if let bytes = try? await storage.read(Key("a/b")) { #expect(bytes.count <= 300_000) }
            if let bytes = try? await part(storage) { #expect(bytes.count <= 69_900) }
            for entry in (try? await storage.list(.root, .all)) ?? [] { #expect(!entry.key.name.contains("/")) }
            _ = try? await storage.stat(Key("a/b"))
            try? await storage.remove([Key("a/b"), Key("c")])
            try? await storage.sync(.root)
        }
    }

    private func part(_ storage: any Storage) async throws -> [UInt8] {
        var source = try await storage.open(Key("a/b"), range: 100..<70_000)
        return try await source.readAll()
    }

    /// Beginnings that are no SFTP at all.
    @Test(arguments: [
        Array("SSH-2.0-OpenSSH".utf8), [0, 0, 0, 0], [0, 0, 0, 5, 2, 0, 0, 0, 2], [255, 255, 255, 255, 2], [0, 0, 0, 1, 2], [],
        [0, 0, 0, 9, 2, 0, 0, 0, 3, 0, 0, 1, 0],
    ])
    func noServer(_ bytes: [UInt8]) throws {
        let error = #expect(throws: BackupError.self) { _ = try SFTPSession(Recording(bytes), peer: "the server") }
        #expect(error?.code == .unavailable || error?.code == .protocol, "\(error as Any)")
    }
}

/// Says what it has to say, then ends.
private final class Recording: ByteChannel {
    var patience = Duration.seconds(1)
    var outlivesCancellation = false
    private var bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }
    func readNow(into buffer: UnsafeMutableRawBufferPointer) throws(BackupError) -> Int? { nil }
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(BackupError) -> Int {
        let count = min(bytes.count, buffer.count)
        buffer.copyBytes(from: bytes[..<count])
        bytes.removeFirst(count)
        return count
    }
    func write(_ bytes: UnsafeRawBufferPointer) throws(BackupError) -> Int { bytes.count }
}

// The SFTP protocol on a channel: any number of requests are on their way while their answers are waited for one after the other.

internal import BackstopCore

/// One conversation with a server. An answer that cannot be understood breaks it; a refusal does not.
final class SFTPSession: @unchecked Sendable {
    // Has a single owner at any time: the idle list or the request that took it.
    let channel: any ByteChannel
    /// For messages.
    private let peer: String
    private(set) var extensions: Set<String> = []
    private(set) var isBroken = false

    private let input = PacketBuffer(capacity: 128 << 10)
    /// Requests that were not sent yet.
    private let output = PacketBuffer(capacity: 320 << 10)
    private var lastID: UInt32 = 0
    /// Requests without an answer; false: nobody waits for it any more.
    private var unanswered: [UInt32: Bool] = [:]
    /// Answers that came before those to earlier requests.
    private var early: [UInt32: (reply: SFTPReply, data: [UInt8])] = [:]
    /// Bytes at the start of `input` that belong to the packet looked at last, and how many of them are data that can be taken.
    private var current = 0
    private var data = 0
    /// Data of an early answer.
    private var earlyData: (bytes: [UInt8], position: Int) = ([], 0)

    enum Kind: UInt8 {
        case initialise = 1, version, open, close, read, write, lstat, fstat, setstat, fsetstat, opendir, readdir, remove, mkdir, rmdir
        case realpath, stat, rename
        case status = 101, handle, data, name, attributes
        case extended = 200
    }

    struct OpenFlags: OptionSet {
        var rawValue: UInt32
        static let read = OpenFlags(rawValue: 1), write = OpenFlags(rawValue: 2), create = OpenFlags(rawValue: 8)
        static let exclusive = OpenFlags(rawValue: 32)
    }

    /// Of data in one request: what every server takes.
    static let chunk = 32 << 10
    /// Requests for data that are under way at a time.
    static let window = 64
    /// Bytes of requests after which they are sent.
    private static let flushSize = 256 << 10
    /// No server sends longer packets than this: 32 KiB of data, or a hundred names.
    private static let longestPacket = 256 << 10
    private static let mostExtensions = 100

    /// Says hello.
    init(_ channel: any ByteChannel, peer: String) throws(BackupError) {
        self.channel = channel
        self.peer = peer
        output.append(UInt32(5))
        output.append(Kind.initialise.rawValue)
        output.append(UInt32(3))
        let packet = try nextPacket()
        let (version, names) = try understand { () throws(PacketReader.Malformed) in
            var reader = packet
            guard try reader.byte() == Kind.version.rawValue else { throw PacketReader.Malformed() }
            let version = try reader.number()
            var names: Set<String> = []
            while !reader.rest.isEmpty, names.count < Self.mostExtensions {
                names.insert(String(decoding: try reader.string(), as: UTF8.self))
                _ = try reader.string()
            }
            return (version, names)
        }
        guard version >= 3 else {
            throw BackupError(.protocol, "\(peer) speaks version \(version) of SFTP only", hint: "version 3 is needed.")
        }
        extensions = names
    }

    /// Whether it can be used again. What may come meanwhile is answers that nobody waits for any more, nothing else.
    var isAlive: Bool {
        if isBroken { return false }
        do throws(BackupError) {
            guard let more = try input.fillNow(from: channel) else { return true }
            return more && !unanswered.isEmpty
        } catch {
            return false
        }
    }

    // MARK: Requests

    /// Prepares a request and answers the number of its answer.
    func send(_ kind: Kind, _ fields: (PacketBuffer) -> Void) throws(BackupError) -> UInt32 {
        let begin = output.count
        lastID &+= 1
        output.append(UInt32(0))
        output.append(kind.rawValue)
        output.append(lastID)
        fields(output)
        output.set(UInt32(output.count - begin - 4), at: begin)
        unanswered[lastID] = true
        if output.count >= Self.flushSize { try flush() }
        return lastID
    }

    /// Sends what is prepared.
    func flush() throws(BackupError) {
        do throws(BackupError) {
            while output.count > 0 { output.drop(try channel.write(output.bytes)) }
        } catch {
            noteBreak(error)
            throw error
        }
    }

    /// A wish to end the process comes between two bytes: what tidies up afterwards can go on there.
    private func noteBreak(_ error: BackupError) {
        if error.code != .cancelled { isBroken = true }
    }

    /// Nobody waits for that answer.
    func forget(_ id: UInt32) {
        if unanswered[id] != nil { unanswered[id] = false }
        early[id] = nil
    }

    /// Nobody waits for the answers to what is under way.
    func forgetAnswers() {
        for id in unanswered.keys { unanswered[id] = false }
        early = [:]
        earlyData = ([], 0)
        data = 0
    }

    // MARK: Answers

    /// Waits for the answer to one request. Data that was not taken yet is dropped.
    func answer(_ id: UInt32) throws(BackupError) -> SFTPReply {
        earlyData = ([], 0)
        data = 0
        if let (reply, bytes) = early.removeValue(forKey: id) {
            earlyData = (bytes, 0)
            return reply
        }
        while true {
            let packet = try nextPacket()
            let (answered, reply, bytes) = try understand { () throws(PacketReader.Malformed) in try Self.reply(packet) }
            guard let isWanted = unanswered.removeValue(forKey: answered) else { throw broken("answers a request that was not made") }
            if answered == id {
                if case .data = reply {
                    // The head of the packet goes, its data stays.
                    input.drop(current - bytes.count)
                    current = bytes.count
                    data = bytes.count
                }
                return reply
            }
            if isWanted { early[answered] = (reply, Array(bytes)) }
        }
    }

    private static func reply(
        _ packet: PacketReader
    ) throws(PacketReader.Malformed) -> (UInt32, SFTPReply, UnsafeRawBufferPointer) {
        var reader = packet
        let kind = Kind(rawValue: try reader.byte())
        let id = try reader.number()
        var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
        let reply: SFTPReply
        switch kind {
        case .status:
            let code = try reader.number()
            // Some servers leave the words away.
            reply = .status(SFTPStatus(code: code, text: reader.rest.isEmpty ? "" : printable(try reader.string())))
        case .handle:
            reply = .handle(Array(try reader.string()))
        case .data:
            bytes = try reader.string()
            // What comes after is dropped with the packet only when it is before the data.
            guard reader.rest.isEmpty else { throw PacketReader.Malformed() }
            reply = .data
        case .name:
            var names: [SFTPName] = []
            for _ in 0..<(try reader.number()) {
                let name = Array(try reader.string())
                _ = try reader.string()
                names.append(SFTPName(name: name, attributes: try SFTPAttributes(&reader)))
            }
            reply = .names(names)
        case .attributes: reply = .attributes(try SFTPAttributes(&reader))
        default: throw PacketReader.Malformed()
        }
        return (id, reply, bytes)
    }

    /// A server's words may go to a terminal: at most 200 of its plain characters.
    private static func printable(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes.prefix(200).map { $0 < 0x20 || $0 >= 0x7f ? UInt8(ascii: "?") : $0 }, as: UTF8.self)
    }

    /// The next packet without its length, all of it in memory.
    private func nextPacket() throws(BackupError) -> PacketReader {
        try flush()
        do throws(BackupError) {
            input.drop(current)
            current = 0
            guard try input.fill(4, from: channel) else { throw gone("ended the conversation") }
            let length = Int(UInt32(bigEndian: input.bytes.loadUnaligned(as: UInt32.self)))
            guard (5...Self.longestPacket).contains(length) else { throw gone("sent what is no packet of SFTP (length \(length))") }
            guard try input.fill(4 + length, from: channel) else { throw gone("ended the conversation in the middle of a packet") }
            current = 4 + length
        } catch {
            noteBreak(error)
            throw error
        }
        return PacketReader(UnsafeRawBufferPointer(rebasing: input.bytes[4..<current]))
    }

    private func understand<Result>(_ body: () throws(PacketReader.Malformed) -> Result) throws(BackupError) -> Result {
        do throws(PacketReader.Malformed) {
            return try body()
        } catch {
            throw broken("sent a packet that is no answer of SFTP")
        }
    }

    private func gone(_ what: String) -> BackupError { BackupError(.unavailable, "\(peer) \(what)") }

    /// Nothing that comes on this conversation can be trusted from now on.
    func broken(_ what: String) -> BackupError {
        isBroken = true
        return gone(what)
    }

    // MARK: Data

    /// Bytes of the data answered last that were not taken.
    var dataCount: Int { data + earlyData.bytes.count - earlyData.position }

    /// Appends as much of it as fits, at most so many bytes, and answers how many.
    func takeData(into out: inout OutputRawSpan, most: Int) -> Int {
        let count = min(dataCount, out.freeCapacity, most)
        if data > 0 {
            out.append(contentsOf: UnsafeRawBufferPointer(rebasing: input.bytes[..<count]))
            input.drop(count)
            current -= count
            data -= count
        } else if count > 0 {
            out.append(contentsOf: earlyData.bytes, earlyData.position..<earlyData.position + count)
            earlyData.position += count
        }
        return count
    }
}

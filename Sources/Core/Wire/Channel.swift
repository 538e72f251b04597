// Frames on two descriptors: the pipes to another process, or standard input and output of this one.

import Glibc

/// One end of a conversation. Every wait has an end: a peer that hangs costs `patience`, and a signal that asks this process to end is
/// obeyed in between. Belongs to one task at a time.
public final class Channel {
    /// Where frames come from.
    public let input: Int32
    private let output: Int32
    /// What the other process tells people; read while waiting, so that it never blocks there. nil: nobody to listen to.
    private let diagnostics: DiagnosticLines?
    /// For messages: `driver 'tape'`, `the client`.
    private let peer: String
    /// `transfer` limits the waiting here; `answer` is for callers of `header`, which is told how long to wait.
    public var patience: Patience
    /// What to do about something that prints where frames belong.
    public var noiseHint: String?
    /// How the other side has ended, when that can be known: `status 1`.
    public var ending: (() -> String?)?
    /// For what is no data: headers and JSON.
    private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 << 10, alignment: 16)

    /// How long may pass without a byte.
    public struct Patience: Sendable {
        /// Until an answer begins.
        public var answer: Duration
        /// Between the bytes of a frame, and until the other side takes some.
        public var transfer: Duration
        public init(answer: Duration, transfer: Duration) {
            self.answer = answer
            self.transfer = transfer
        }
    }

    /// Frames are read from `input` and written to `output`. Neither is closed here; both are made non-blocking.
    public init(input: Int32, output: Int32, diagnostics: DiagnosticLines? = nil, peer: String, patience: Patience) {
        self.input = input
        self.output = output
        self.diagnostics = diagnostics
        self.peer = peer
        self.patience = patience
        for descriptor in [input, output] { _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) }
    }

    deinit { scratch.deallocate() }

    /// Nothing waits to be read, not even the end.
    public var isQuiet: Bool {
        var waited = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
        return poll(&waited, 1, 0) == 0
    }

    // MARK: Sending

    /// One frame of JSON. Throws `.invalid` when it would be too long, `.unavailable` when the other side is gone
    /// or takes nothing, `.cancelled` when this process is to end.
    public func send(_ kind: FrameKind, _ value: JSON) throws(BackupError) {
        let payload = Self.portable(value.bytes)
        guard payload.count <= FrameHeader.mostJSON else { throw BackupError(.invalid, "a message to \(peer) would be too long") }
        try write(FrameHeader(kind, length: payload.count).bytes + payload)
    }

    /// JSON as everybody reads it: our own, which the repository's files need, leaves some controls in names as they are.
    static func portable(_ json: [UInt8]) -> [UInt8] {
        guard json.contains(where: { $0 < 0x20 }) else { return json }
        var result: [UInt8] = []
        for byte in json {
            if byte < 0x20 {
                result += Array((byte < 16 ? "\\u000" : "\\u00").utf8) + Array(String(byte, radix: 16).utf8)
            } else {
                result.append(byte)
            }
        }
        return result
    }

    /// The waiting bytes of `block` as one frame of data, which leaves the block empty.
    public func send(_ block: inout Block) throws(BackupError) {
        guard block.count > 0 else { return }
        try write(FrameHeader(.data, length: block.count).bytes)
        try block.withBytes { (bytes: RawSpan) throws(BackupError) in
            try bytes.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) throws(BackupError) in try write(bytes) }
        }
        block.clear()
    }

    /// `bytes` as frames of data.
    public func sendData(_ bytes: [UInt8]) throws(BackupError) {
        for start in stride(from: 0, to: bytes.count, by: 256 << 10) {
            let part = bytes[start..<min(bytes.count, start + 256 << 10)]
            try write(FrameHeader(.data, length: part.count).bytes + part)
        }
    }

    private func write(_ bytes: [UInt8]) throws(BackupError) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { copy.deallocate() }
        copy.copyBytes(from: bytes)
        try write(UnsafeRawBufferPointer(copy))
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws(BackupError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(output, rest.baseAddress, rest.count)
            if count > 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            } else if count < 0 && errno == EAGAIN {
                try wait(output, Int16(POLLOUT), patience.transfer, "take what is sent")
            } else if count < 0 && errno != EINTR {
                let number = errno
                if number == EPIPE, let reason = lastWords() { throw reason }
                throw gone(number == EPIPE ? "has gone" : "cannot be written to: \(systemMessage(number))")
            }
        }
    }

    /// What is wrong with what the other side sent before it ended: a login that is refused says so, and is gone before the first frame.
    private func lastWords() -> BackupError? {
        var waited = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
        guard poll(&waited, 1, 500) > 0, waited.revents & Int16(POLLIN) != 0 else { return nil }
        do throws(BackupError) {
            _ = try header(waiting: .milliseconds(500))
            return nil
        } catch {
            return error
        }
    }

    // MARK: Receiving

    /// The next frame's header; nil when the other side ended in order, between two frames. `waiting`: for its first byte.
    public func header(waiting: Duration) throws(BackupError) -> FrameHeader? {
        var count = 0
        while count < FrameHeader.byteCount {
            let got = try readSome(
                UnsafeMutableRawBufferPointer(rebasing: scratch[count..<FrameHeader.byteCount]), count == 0 ? waiting : patience.transfer)
            if got == 0 {
                if count == 0 { return nil }
                throw over("in the middle of a frame")
            }
            count += got
        }
        let bytes = Array(scratch[..<count])
        guard let header = FrameHeader(bytes) else {
            throw gone(noiseText(bytes + whatIsThere()), hint: noiseHint)
        }
        return header
    }

    /// More of what is no frame, for people.
    private func whatIsThere() -> [UInt8] {
        let count = Glibc.read(input, scratch.baseAddress, 300)
        return count > 0 ? Array(scratch[..<count]) : []
    }

    /// The payload of a frame that is JSON.
    public func json(_ header: FrameHeader) throws(BackupError) -> JSON {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(header.length)
        try take(header.length) { bytes.append(contentsOf: $0) }
        guard let value = JSON(parsing: bytes), value.object != nil else {
            throw gone("sent a frame \(header.kind.letter) that is no JSON object")
        }
        return value
    }

    /// Takes and forgets the payload of a frame.
    public func skip(_ header: FrameHeader) throws(BackupError) { try take(header.length) { _ in } }

    private func take(_ count: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void) throws(BackupError) {
        var rest = count
        while rest > 0 {
            let got = try readSome(UnsafeMutableRawBufferPointer(rebasing: scratch[..<min(rest, scratch.count)]), patience.transfer)
            guard got > 0 else { throw over("in the middle of a frame") }
            body(UnsafeMutableRawBufferPointer(rebasing: scratch[..<got]))
            rest -= got
        }
    }

    /// Appends some of the payload of a data frame of which `rest` bytes are still to come; how many it were.
    public func data(_ rest: Int, into out: inout OutputRawSpan) throws(BackupError) -> Int {
        let most = min(rest, out.freeCapacity)
        var got = 0
        try out.withUnsafeMutableBytes { (buffer: UnsafeMutableRawBufferPointer, initialized: inout Int) throws(BackupError) in
            got = try readSome(UnsafeMutableRawBufferPointer(rebasing: buffer[initialized..<initialized + most]), patience.transfer)
            initialized += got
        }
        guard got > 0 else { throw over("in the middle of a frame") }
        return got
    }

    /// 0 at the end of the stream.
    private func readSome(_ buffer: UnsafeMutableRawBufferPointer, _ limit: Duration) throws(BackupError) -> Int {
        while true {
            let count = Glibc.read(input, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            if errno == EAGAIN {
                try wait(input, Int16(POLLIN), limit, "answer")
            } else if errno != EINTR {
                throw gone("cannot be read from: \(systemMessage(errno))")
            }
        }
    }

    private func wait(_ descriptor: Int32, _ events: Int16, _ limit: Duration, _ what: String) throws(BackupError) {
        let end = ContinuousClock.now + limit
        while true {
            try Cancellation.check()
            var waited = [pollfd(fd: descriptor, events: events, revents: 0)]
            if let diagnostics, !diagnostics.hasEnded {
                waited.append(pollfd(fd: diagnostics.descriptor, events: Int16(POLLIN), revents: 0))
            }
            let count = poll(&waited, nfds_t(waited.count), 100)
            if count > 0, waited.count > 1, waited[1].revents != 0 { diagnostics?.read() }
            if count > 0, waited[0].revents != 0 { return }
            guard ContinuousClock.now < end else { throw gone("does not \(what) within \(limit)") }
        }
    }

    private func gone(_ what: String, hint: String? = nil) -> BackupError {
        diagnostics?.read()
        let said = diagnostics?.last ?? []
        let words = said.isEmpty ? "" : said.count == 1 ? "\nit said: \(said[0])" : "\nit said:\n  " + said.joined(separator: "\n  ")
        return BackupError(.unavailable, "\(peer) \(what)\(words)", hint: hint)
    }

    /// The stream of the other side has ended.
    private func over(_ what: String) -> BackupError { gone("ended \(what)" + (ending?().map { ", with \($0)" } ?? "")) }

    /// A frame that does not belong where it came.
    public func unexpected(_ header: FrameHeader, _ wanted: String) -> BackupError {
        gone("sent a \(header.kind.letter) frame in place of \(wanted)")
    }

    /// The error for an end of input where `wanted` had to come.
    public func ended(_ wanted: String) -> BackupError { over("in place of \(wanted)") }
}

// The memory that packets are put together in, and the reader that takes them apart.

internal import BackstopCore

/// Bytes that are appended at the end and dropped at the start. The memory is kept and grows to the largest packet.
final class PacketBuffer {
    private var memory: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0

    init(capacity: Int) { memory = .allocate(byteCount: capacity, alignment: 16) }

    deinit { memory.deallocate() }

    var count: Int { end - start }
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[start..<end]) }

    func drop(_ count: Int) {
        start += count
        if start == end { clear() }
    }

    func clear() {
        start = 0
        end = 0
    }

    // MARK: Writing

    func append(_ byte: UInt8) {
        reserve(1)
        memory[end] = byte
        end += 1
    }

    func append(_ number: UInt32) { append(bigEndian: number.bigEndian) }
    func append(_ number: UInt64) { append(bigEndian: number.bigEndian) }

    private func append(bigEndian number: some FixedWidthInteger) {
        withUnsafeBytes(of: number) { append($0) }
    }

    func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, !bytes.isEmpty else { return }
        reserve(bytes.count)
        (memory.baseAddress! + end).copyMemory(from: source, byteCount: bytes.count)
        end += bytes.count
    }

    /// With its length before it.
    func append(string bytes: UnsafeRawBufferPointer) {
        append(UInt32(bytes.count))
        append(bytes)
    }

    func append(string bytes: [UInt8]) { bytes.withUnsafeBytes { append(string: $0) } }

    func append(string text: String) {
        if FileName.isMapped(text) { return append(string: FileName.bytes(text)) }
        var text = text
        text.withUTF8 { append(string: UnsafeRawBufferPointer($0)) }
    }

    /// Puts a number over four bytes that are `offset` bytes after the start.
    func set(_ number: UInt32, at offset: Int) {
        memory.storeBytes(of: number.bigEndian, toByteOffset: start + offset, as: UInt32.self)
    }

    // MARK: Filling

    /// Reads from `channel` until there are `count` bytes; false when it ended before.
    func fill(_ count: Int, from channel: any ByteChannel) throws(BackupError) -> Bool {
        if self.count < count { reserve(count - self.count) }
        while self.count < count {
            let got = try channel.read(into: UnsafeMutableRawBufferPointer(rebasing: memory[end...]))
            if got == 0 { return false }
            end += got
        }
        return true
    }

    /// Reads what is there. False when the channel ended, nil when it has nothing.
    func fillNow(from channel: any ByteChannel) throws(BackupError) -> Bool? {
        reserve(4096)
        guard let got = try channel.readNow(into: UnsafeMutableRawBufferPointer(rebasing: memory[end...])) else { return nil }
        end += got
        return got > 0
    }

    /// Makes room for `more` bytes after the end.
    private func reserve(_ more: Int) {
        guard memory.count - end < more else { return }
        if memory.count >= count + more {
            memory.baseAddress!.copyMemory(from: memory.baseAddress! + start, byteCount: count)
        } else {
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count + more, memory.count * 2), alignment: 16)
            larger.baseAddress!.copyMemory(from: memory.baseAddress! + start, byteCount: count)
            memory.deallocate()
            memory = larger
        }
        end -= start
        start = 0
    }
}

/// Takes the fields of a packet, which may lie about their lengths. Good until the buffer below it changes.
struct PacketReader {
    /// The packet ends before its fields do.
    struct Malformed: Error {}

    private(set) var rest: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

    mutating func byte() throws(Malformed) -> UInt8 { try take(1)[0] }
    mutating func number() throws(Malformed) -> UInt32 { UInt32(bigEndian: try take(4).loadUnaligned(as: UInt32.self)) }
    mutating func longNumber() throws(Malformed) -> UInt64 { UInt64(bigEndian: try take(8).loadUnaligned(as: UInt64.self)) }
    mutating func string() throws(Malformed) -> UnsafeRawBufferPointer { try take(Int(try number())) }

    private mutating func take(_ count: Int) throws(Malformed) -> UnsafeRawBufferPointer {
        guard count <= rest.count else { throw Malformed() }
        defer { rest = UnsafeRawBufferPointer(rebasing: rest[count...]) }
        return UnsafeRawBufferPointer(rebasing: rest[..<count])
    }
}

// The pull side of all data: whoever wants bytes asks a source for them.

/// Gives bytes in order, once.
public protocol ByteSource: ~Copyable {
    /// Appends what it can to `out` (at least one byte unless at the end). False with or after the last byte; nothing follows a false.
    mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool
}

extension ByteSource where Self: ~Copyable {
    /// All bytes in memory; `.corrupt` past `limit`. `reserving`: how many will come, where that is known.
    public mutating func readAll(limit: Int = 1 << 31, reserving: Int = 0) async throws(BackupError) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(reserving)
        var block = Block(capacity: 64 << 10)
        var more = true
        while more {
            block.clear()
            more = try await block.fill(from: &self)
            block.withBytes { span in span.withUnsafeBytes { bytes.append(contentsOf: $0) } }
            if bytes.count > limit { throw BackupError(.corrupt, "larger than \(limit) bytes") }
        }
        return bytes
    }

    /// Reads to the end and drops the bytes: for sources whose taps are what is wanted.
    public mutating func drain(_ block: inout Block) async throws(BackupError) {
        repeat { block.clear() } while try await block.fill(from: &self)
    }
}

/// Bytes that are in memory already.
public struct BytesSource: ByteSource, ~Copyable {
    let bytes: [UInt8]
    var position = 0

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool {
        let count = min(out.freeCapacity, bytes.count - position)
        out.append(contentsOf: bytes, position..<position + count)
        position += count
        return position < bytes.count
    }
}

extension OutputRawSpan {
    /// Appends a part of an array, which must fit.
    public mutating func append(contentsOf bytes: [UInt8], _ range: Range<Int>) {
        bytes.withUnsafeBytes { append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    /// Appends bytes, which must fit.
    public mutating func append(contentsOf bytes: UnsafeRawBufferPointer) {
        withUnsafeMutableBytes { buffer, count in
            guard let source = bytes.baseAddress, !bytes.isEmpty else { return }
            UnsafeMutableRawBufferPointer(rebasing: buffer[count..<count + bytes.count]).copyMemory(
                from: UnsafeRawBufferPointer(start: source, count: bytes.count))
            count += bytes.count
        }
    }
}

// gz: zlib, as a gzip member or, raw, as a zlib stream.

import BackstopCore
import CZlib

struct Gz: Codec {
    let level: Int
    let framing: Framing

    /// 15 bits of window; 16 more ask zlib for the gzip format.
    private var windowBits: Int32 { framing == .normal ? 15 + 16 : 15 }

    func encoder() throws(BackupError) -> any Transform { try GzEncoder(level: Int32(level), windowBits: windowBits) }
    func decoder() throws(BackupError) -> any Transform { try GzDecoder(windowBits: windowBits) }
}

/// zlib keeps the address of its stream, so the stream lives outside of the class.
private func makeStream() -> UnsafeMutablePointer<z_stream> {
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    return stream
}

extension UnsafeMutablePointer where Pointee == z_stream {
    /// Points the stream at the buffers.
    fileprivate func set(_ bytes: UnsafeRawBufferPointer, _ free: UnsafeMutableRawBufferPointer) {
        pointee.next_in = UnsafeMutablePointer<UInt8>(mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        pointee.avail_in = UInt32(Swift.min(bytes.count, largestPiece))
        pointee.next_out = free.baseAddress?.assumingMemoryBound(to: UInt8.self)
        pointee.avail_out = UInt32(Swift.min(free.count, largestPiece))
    }

    fileprivate func moved(_ bytes: UnsafeRawBufferPointer, _ free: UnsafeMutableRawBufferPointer) -> (taken: Int, given: Int) {
        (
            Swift.min(bytes.count, largestPiece) - Int(pointee.avail_in),
            Swift.min(free.count, largestPiece) - Int(pointee.avail_out)
        )
    }
}

private final class GzEncoder: Transform {
    private let stream = makeStream()
    private var finished = false

    init(level: Int32, windowBits: Int32) throws(BackupError) {
        let status = deflateInit2_(
            stream, level, Z_DEFLATED, windowBits, 9, Z_DEFAULT_STRATEGY, zlibVersion(), Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { throw .noContext("zlib") }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    func process(_ input: RawSpan, into out: inout OutputRawSpan, end: Bool) throws(BackupError) -> Progress {
        if finished { return Progress(consumed: 0, done: true) }
        if out.freeCapacity == 0 || (input.isEmpty && !end) { return Progress(consumed: 0, done: false) }
        let last = end && input.byteCount <= largestPiece
        let moved = try withPointers(input, &out) { (bytes, free) throws(BackupError) in
            stream.set(bytes, free)
            let status = deflate(stream, last ? Z_FINISH : Z_NO_FLUSH)
            guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
                throw BackupError(.assertion, "zlib cannot compress: status \(status)")
            }
            finished = status == Z_STREAM_END
            return stream.moved(bytes, free)
        }
        return Progress(consumed: moved.taken, done: finished)
    }

    func reset() throws(BackupError) {
        finished = false
        guard deflateReset(stream) == Z_OK else { throw .noContext("zlib") }
    }
}

private final class GzDecoder: Transform {
    private let stream = makeStream()
    private var ended = false

    init(windowBits: Int32) throws(BackupError) {
        guard inflateInit2_(stream, windowBits, zlibVersion(), Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .noContext("zlib")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    func process(_ input: RawSpan, into out: inout OutputRawSpan, end: Bool) throws(BackupError) -> Progress {
        var moved = (taken: 0, given: 0)
        if !ended {
            if out.freeCapacity == 0 { return Progress(consumed: 0, done: false) }
            moved = try withPointers(input, &out) { (bytes, free) throws(BackupError) in
                stream.set(bytes, free)
                let status = inflate(stream, Z_NO_FLUSH)
                guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
                    let reason = stream.pointee.msg.map { String(cString: $0) } ?? "status \(status)"
                    throw BackupError(.corrupt, "the gz stream is damaged: \(reason)")
                }
                ended = status == Z_STREAM_END
                return stream.moved(bytes, free)
            }
        }
        return try concludeSingleStream("gz", input: input.byteCount, moved: moved, ended: ended, end: end)
    }

    func reset() throws(BackupError) {
        ended = false
        guard inflateReset(stream) == Z_OK else { throw .noContext("zlib") }
    }
}

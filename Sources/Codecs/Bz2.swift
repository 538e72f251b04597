// bz2: bzip2 streams; normal and raw framing are the same.

import BackstopCore
import CBz2
import Glibc

struct Bz2: Codec {
    let level: Int

    func encoder() throws(BackupError) -> any Transform { Bz2Encoder(level: Int32(level)) }
    func decoder() throws(BackupError) -> any Transform { Bz2Decoder() }
}

/// Memory that libbz2 gives back and gets again. The library has no reset, and its 8 MB fresh from the kernel for each small file
/// would cost more than the compression.
private final class KeptMemory {
    private struct Piece {
        let base: UnsafeMutableRawPointer
        let size: Int
        var used: Bool
    }

    private var pieces: [Piece] = []

    deinit { for piece in pieces { free(piece.base) } }

    func take(_ size: Int) -> UnsafeMutableRawPointer? {
        if let index = pieces.firstIndex(where: { !$0.used && $0.size == size }) {
            pieces[index].used = true
            return pieces[index].base
        }
        guard let base = malloc(size) else { return nil }
        pieces.append(Piece(base: base, size: size, used: true))
        return base
    }

    func giveBack(_ base: UnsafeMutableRawPointer) {
        if let index = pieces.firstIndex(where: { $0.base == base }) { pieces[index].used = false }
    }
}

/// A stream of libbz2 with its memory. libbz2 keeps the address of its stream, so the stream lives outside of the class.
private final class Bz2Stream {
    let pointer = UnsafeMutablePointer<bz_stream>.allocate(capacity: 1)
    private let memory = KeptMemory()

    init() {
        pointer.initialize(to: bz_stream())
        pointer.pointee.opaque = Unmanaged.passUnretained(memory).toOpaque()
        pointer.pointee.bzalloc = { memory, count, size in
            Unmanaged<KeptMemory>.fromOpaque(memory!).takeUnretainedValue().take(Int(count) * Int(size))
        }
        pointer.pointee.bzfree = { memory, base in
            if let base { Unmanaged<KeptMemory>.fromOpaque(memory!).takeUnretainedValue().giveBack(base) }
        }
    }

    deinit { pointer.deallocate() }

    func set(_ bytes: UnsafeRawBufferPointer, _ free: UnsafeMutableRawBufferPointer) {
        pointer.pointee.next_in = UnsafeMutablePointer<CChar>(mutating: bytes.baseAddress?.assumingMemoryBound(to: CChar.self))
        pointer.pointee.avail_in = UInt32(min(bytes.count, largestPiece))
        pointer.pointee.next_out = free.baseAddress?.assumingMemoryBound(to: CChar.self)
        pointer.pointee.avail_out = UInt32(min(free.count, largestPiece))
    }

    func moved(_ bytes: UnsafeRawBufferPointer, _ free: UnsafeMutableRawBufferPointer) -> (taken: Int, given: Int) {
        (
            min(bytes.count, largestPiece) - Int(pointer.pointee.avail_in),
            min(free.count, largestPiece) - Int(pointer.pointee.avail_out)
        )
    }
}

private final class Bz2Encoder: Transform {
    private let stream = Bz2Stream()
    private let level: Int32
    private var begun = false
    private var finished = false

    init(level: Int32) { self.level = level }

    deinit { stop() }

    func process(_ input: RawSpan, into out: inout OutputRawSpan, end: Bool) throws(BackupError) -> Progress {
        if finished { return Progress(consumed: 0, done: true) }
        if out.freeCapacity == 0 || (input.isEmpty && !end) { return Progress(consumed: 0, done: false) }
        if !begun {
            guard BZ2_bzCompressInit(stream.pointer, level, 0, 0) == BZ_OK else { throw .noContext("libbz2") }
            begun = true
        }
        let last = end && input.byteCount <= largestPiece
        let moved = try withPointers(input, &out) { (bytes, free) throws(BackupError) in
            stream.set(bytes, free)
            let status = BZ2_bzCompress(stream.pointer, last ? BZ_FINISH : BZ_RUN)
            guard status == BZ_RUN_OK || status == BZ_FINISH_OK || status == BZ_STREAM_END else {
                throw BackupError(.assertion, "libbz2 cannot compress: status \(status)")
            }
            finished = status == BZ_STREAM_END
            return stream.moved(bytes, free)
        }
        return Progress(consumed: moved.taken, done: finished)
    }

    func reset() throws(BackupError) {
        stop()
        finished = false
    }

    private func stop() {
        if begun { BZ2_bzCompressEnd(stream.pointer) }
        begun = false
    }
}

private final class Bz2Decoder: Transform {
    private let stream = Bz2Stream()
    private var begun = false
    private var ended = false

    deinit { stop() }

    func process(_ input: RawSpan, into out: inout OutputRawSpan, end: Bool) throws(BackupError) -> Progress {
        var moved = (taken: 0, given: 0)
        if !ended {
            if out.freeCapacity == 0 { return Progress(consumed: 0, done: false) }
            if !begun {
                guard BZ2_bzDecompressInit(stream.pointer, 0, 0) == BZ_OK else { throw .noContext("libbz2") }
                begun = true
            }
            moved = try withPointers(input, &out) { (bytes, free) throws(BackupError) in
                stream.set(bytes, free)
                let status = BZ2_bzDecompress(stream.pointer)
                switch status {
                case BZ_OK, BZ_STREAM_END: break
                case BZ_MEM_ERROR: throw .noContext("libbz2")
                case BZ_DATA_ERROR_MAGIC: throw BackupError(.corrupt, "this is no bz2 stream")
                default: throw BackupError(.corrupt, "the bz2 stream is damaged: status \(status)")
                }
                ended = status == BZ_STREAM_END
                return stream.moved(bytes, free)
            }
        }
        return try concludeSingleStream("bz2", input: input.byteCount, moved: moved, ended: ended, end: end)
    }

    func reset() throws(BackupError) {
        stop()
        ended = false
    }

    private func stop() {
        if begun { BZ2_bzDecompressEnd(stream.pointer) }
        begun = false
    }
}

// lz4: frames of linked 64 KiB blocks, with a checksum of the content or, raw, without.

import BackstopCore
import CLz4

struct Lz4: Codec {
    let level: Int
    let framing: Framing

    func encoder() throws(BackupError) -> any Transform { try Lz4Encoder(level: Int32(level), checksum: framing == .normal) }
    func decoder() throws(BackupError) -> any Transform { try Lz4Decoder() }
}

private func name(_ status: Int) -> String { String(cString: LZ4F_getErrorName(status)) }

private func checked(_ status: Int) throws(BackupError) -> Int {
    if LZ4F_isError(status) != 0 { throw BackupError(.assertion, "liblz4 cannot compress: \(name(status))") }
    return status
}

private final class Lz4Encoder: Transform {
    private static let sliceSize = 64 << 10

    private let context: OpaquePointer
    private var preferences = LZ4F_preferences_t()
    /// liblz4 wants room for the worst case before it takes a byte, and keeps up to a block back.
    private var spill: Spill
    private let sliceBound: Int
    private let endBound: Int
    private var begun = false
    private var finished = false

    init(level: Int32, checksum: Bool) throws(BackupError) {
        var made: OpaquePointer?
        guard LZ4F_isError(LZ4F_createCompressionContext(&made, UInt32(LZ4F_VERSION))) == 0, let made else { throw .noContext("liblz4") }
        context = made
        preferences.frameInfo.blockSizeID = LZ4F_max64KB
        preferences.frameInfo.blockMode = LZ4F_blockLinked
        preferences.frameInfo.contentChecksumFlag = checksum ? LZ4F_contentChecksumEnabled : LZ4F_noContentChecksum
        preferences.compressionLevel = level
        preferences.autoFlush = 0
        sliceBound = LZ4F_compressBound(Self.sliceSize, &preferences)
        endBound = LZ4F_compressBound(0, &preferences)
        spill = Spill(capacity: max(sliceBound, endBound, Int(LZ4F_HEADER_SIZE_MAX)))
    }

    deinit { LZ4F_freeCompressionContext(context) }

    func process(_ input: RawSpan, into out: inout OutputRawSpan, end: Bool) throws(BackupError) -> Progress {
        spill.drain(into: &out)
        if !spill.isEmpty || out.freeCapacity == 0 || (input.isEmpty && !end) {
            return Progress(consumed: 0, done: finished && spill.isEmpty)
        }
        if finished { return Progress(consumed: 0, done: true) }
        if !begun {
            try spill.write(into: &out, atMost: Int(LZ4F_HEADER_SIZE_MAX)) { (room) throws(BackupError) in
                try checked(LZ4F_compressBegin(context, room.baseAddress, room.count, &preferences))
            }
            begun = true
        }
        var taken = 0
        while taken < input.byteCount && spill.isEmpty && out.freeCapacity > 0 {
            let (count, bound) = piece(input.byteCount - taken, room: out.freeCapacity)
            try input.extracting(taken..<taken + count).withUnsafeBytes { (bytes) throws(BackupError) in
                try spill.write(into: &out, atMost: bound) { (room) throws(BackupError) in
                    try checked(LZ4F_compressUpdate(context, room.baseAddress, room.count, bytes.baseAddress, bytes.count, nil))
                }
            }
            taken += count
        }
        if end && taken == input.byteCount && spill.isEmpty && out.freeCapacity > 0 {
            try spill.write(into: &out, atMost: endBound) { (room) throws(BackupError) in
                try checked(LZ4F_compressEnd(context, room.baseAddress, room.count, nil))
            }
            finished = true
        }
        return Progress(consumed: taken, done: finished && spill.isEmpty)
    }

    /// As much of `rest` bytes as can go straight to `room` bytes of output; a slice by way of the spill when nothing can.
    private func piece(_ rest: Int, room: Int) -> (count: Int, bound: Int) {
        let count = min(rest, largestPiece)
        let bound = LZ4F_compressBound(count, &preferences)
        if bound <= room { return (count, bound) }
        var slices = min(count, room) / Self.sliceSize
        while slices > 0 {
            let bound = LZ4F_compressBound(slices * Self.sliceSize, &preferences)
            if bound <= room { return (slices * Self.sliceSize, bound) }
            slices -= 1
        }
        return (min(count, Self.sliceSize), sliceBound)
    }

    func reset() throws(BackupError) {
        // LZ4F_compressBegin starts afresh whatever came before.
        begun = false
        finished = false
        spill.clear()
    }
}

private final class Lz4Decoder: Transform {
    private let context: OpaquePointer
    /// After a whole frame and before the first byte of another.
    private var afterFrame = false

    init() throws(BackupError) {
        var made: OpaquePointer?
        guard LZ4F_isError(LZ4F_createDecompressionContext(&made, UInt32(LZ4F_VERSION))) == 0, let made else { throw .noContext("liblz4") }
        context = made
    }

    deinit { LZ4F_freeDecompressionContext(context) }

    func process(_ input: RawSpan, into out: inout OutputRawSpan, end: Bool) throws(BackupError) -> Progress {
        if afterFrame && input.isEmpty { return Progress(consumed: 0, done: end) }
        if out.freeCapacity == 0 { return Progress(consumed: 0, done: false) }
        let moved = try withPointers(input, &out) { (bytes, free) throws(BackupError) in
            var taken = 0
            var given = 0
            repeat {
                var from = bytes.count - taken
                var to = free.count - given
                // liblz4 computes with the pointer even where there is no input.
                let source = bytes.baseAddress.map { $0 + taken } ?? UnsafeRawPointer(free.baseAddress!)
                let status = LZ4F_decompress(context, free.baseAddress! + given, &to, source, &from, nil)
                if LZ4F_isError(status) != 0 {
                    if afterFrame { throw .trailing("lz4") }
                    throw BackupError(.corrupt, "the lz4 stream is damaged: \(name(status))")
                }
                afterFrame = status == 0
                taken += from
                given += to
            } while taken < bytes.count && given < free.count
            return (taken, given)
        }
        if end && !afterFrame && moved.taken == 0 && moved.given == 0 { throw .truncated("lz4") }
        return Progress(consumed: moved.taken, done: end && afterFrame && moved.taken == input.byteCount)
    }

    func reset() throws(BackupError) {
        afterFrame = false
        LZ4F_resetDecompressionContext(context)
    }
}

// zst: Zstandard frames without checksum and content size; normal and raw framing are the same.

import BackstopCore
import CZstd

struct Zst: Codec {
    let level: Int

    func encoder() throws(BackupError) -> any Transform { try ZstEncoder(level: Int32(level)) }
    func decoder() throws(BackupError) -> any Transform { try ZstDecoder() }
}

private func name(_ status: Int) -> String { String(cString: ZSTD_getErrorName(status)) }

private final class ZstEncoder: Transform {
    private let context: OpaquePointer
    private var finished = false

    init(level: Int32) throws(BackupError) {
        guard let context = ZSTD_createCCtx() else { throw .noContext("libzstd") }
        self.context = context
        for (parameter, value) in [
            (ZSTD_c_compressionLevel, level),
            // Else the size would be in the header of an object that fits into the first piece.
            (ZSTD_c_contentSizeFlag, 0),
            (ZSTD_c_checksumFlag, 0),
        ] {
            let status = ZSTD_CCtx_setParameter(context, parameter, value)
            if ZSTD_isError(status) != 0 { throw BackupError(.assertion, "libzstd refuses a parameter: \(name(status))") }
        }
    }

    deinit { ZSTD_freeCCtx(context) }

    func process(_ input: RawSpan, into out: inout OutputRawSpan, end: Bool) throws(BackupError) -> Progress {
        if finished { return Progress(consumed: 0, done: true) }
        if out.freeCapacity == 0 || (input.isEmpty && !end) { return Progress(consumed: 0, done: false) }
        let moved = try withPointers(input, &out) { (bytes, free) throws(BackupError) in
            var from = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
            var to = ZSTD_outBuffer(dst: free.baseAddress, size: free.count, pos: 0)
            // It may come back early; going on saves the caller a round.
            repeat {
                let status = ZSTD_compressStream2(context, &to, &from, end ? ZSTD_e_end : ZSTD_e_continue)
                if ZSTD_isError(status) != 0 { throw BackupError(.assertion, "libzstd cannot compress: \(name(status))") }
                finished = end && status == 0
            } while !finished && to.pos < to.size && (end || from.pos < from.size)
            return (from.pos, to.pos)
        }
        return Progress(consumed: moved.taken, done: finished)
    }

    func reset() throws(BackupError) {
        finished = false
        ZSTD_CCtx_reset(context, ZSTD_reset_session_only)
    }
}

private final class ZstDecoder: Transform {
    private let context: OpaquePointer
    /// After a whole frame and before the first byte of another.
    private var afterFrame = false

    init() throws(BackupError) {
        guard let context = ZSTD_createDCtx() else { throw .noContext("libzstd") }
        self.context = context
        // The windows of level 22.
        let status = ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 27)
        if ZSTD_isError(status) != 0 { throw BackupError(.assertion, "libzstd refuses a parameter: \(name(status))") }
    }

    deinit { ZSTD_freeDCtx(context) }

    func process(_ input: RawSpan, into out: inout OutputRawSpan, end: Bool) throws(BackupError) -> Progress {
        if afterFrame && input.isEmpty { return Progress(consumed: 0, done: end) }
        if out.freeCapacity == 0 { return Progress(consumed: 0, done: false) }
        let moved = try withPointers(input, &out) { (bytes, free) throws(BackupError) in
            var from = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
            var to = ZSTD_outBuffer(dst: free.baseAddress, size: free.count, pos: 0)
            repeat {
                let status = ZSTD_decompressStream(context, &to, &from)
                if ZSTD_isError(status) != 0 {
                    if afterFrame { throw .trailing("zst") }
                    throw BackupError(.corrupt, "the zst stream is damaged: \(name(status))")
                }
                afterFrame = status == 0
            } while from.pos < from.size && to.pos < to.size
            return (from.pos, to.pos)
        }
        if end && !afterFrame && moved.taken == 0 && moved.given == 0 { throw .truncated("zst") }
        return Progress(consumed: moved.taken, done: end && afterFrame && moved.taken == input.byteCount)
    }

    func reset() throws(BackupError) {
        afterFrame = false
        ZSTD_DCtx_reset(context, ZSTD_reset_session_only)
    }
}

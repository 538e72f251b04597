// Reading one file.

internal import BackstopCore
internal import Glibc

struct PosixSource: ByteSource, ~Copyable {
    private let descriptor: Int32
    private let path: String
    private var position: UInt64
    private let end: UInt64

    init(descriptor: Int32, path: String, range: Range<UInt64>?) {
        self.descriptor = descriptor
        self.path = path
        position = range?.lowerBound ?? 0
        end = range?.upperBound ?? .max
    }

    deinit { close(descriptor) }

    mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool {
        let wanted = Int(min(UInt64(out.freeCapacity), end - position))
        if wanted == 0 { return position < end }
        var result = 0
        repeat {
            let offset = off_t(clamping: position)
            result = out.withUnsafeMutableBytes { buffer, count in
                let got = pread(descriptor, buffer.baseAddress! + count, wanted, offset)
                if got > 0 { count += got }
                return got
            }
        } while result < 0 && errno == EINTR
        if result < 0 { throw systemError("read", path) }
        position += UInt64(result)
        return result > 0 && position < end
    }
}

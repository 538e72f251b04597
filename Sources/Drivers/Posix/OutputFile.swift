// Writing one file under a temporary name.

internal import CSystem
internal import BackstopCore
internal import Glibc

struct OutputFile: ~Copyable {
    private(set) var descriptor: Int32
    let path: String

    /// Creates a file that nobody else has.
    init(creating path: String, mode: UInt32, _ modes: NewModes) throws(BackupError) {
        self.path = path
        descriptor = try call("create", path) { open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode) }
        modes.settle(descriptor, mode)
    }

    /// Creates the file, or takes over what a killed process left there. The lock on it says who writes: nil when somebody does, or
    /// when the file system has no locks.
    init?(claiming path: String, mode: UInt32, _ modes: NewModes) throws(BackupError) {
        for _ in 0..<3 {
            let opened = try call("create", path) { open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode) }
            guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
                _ = Glibc.close(opened)
                return nil
            }
            var ours = FileStatus()
            var named = FileStatus()
            // Whoever had it before may have renamed it between our open and our lock.
            if fstat(opened, &ours) == 0, fileStatus(path, follow: false, &named) == 0, ours.st_ino == named.st_ino,
                ours.st_dev == named.st_dev,
                ours.st_mode & S_IFMT == S_IFREG, ours.st_nlink == 1, ours.st_size == 0 || ftruncate(opened, 0) == 0
            {
                self.path = path
                descriptor = opened
                modes.settle(opened, mode)
                return
            }
            _ = Glibc.close(opened)
        }
        return nil
    }

    /// Bytes after which the disk is asked to begin with what was written.
    private static let writebackStep: UInt64 = 2 << 20

    /// Writes all of `source` and answers how many bytes that were. With `syncSoon` the disk begins while there is more to come, so that
    /// the fsync at the end has little left to wait for.
    mutating func write<Source: ByteSource & ~Copyable>(
        from source: inout Source, _ blocks: BlockPool, syncSoon: Bool
    ) async throws(BackupError) -> UInt64 {
        let descriptor = descriptor
        let path = path
        var size: UInt64 = 0
        let lent = blocks.lend()
        var more = true
        while more {
            lent.block.clear()
            more = try await lent.block.fillWhole(from: &source)
            try lent.block.withBytes { (bytes: RawSpan) throws(BackupError) in try Self.writeAll(descriptor, bytes, path) }
            size += UInt64(lent.block.count)
            if syncSoon, size % Self.writebackStep == 0 { _ = backstop_start_writeback(descriptor) }
        }
        return size
    }

    private static func writeAll(_ descriptor: Int32, _ bytes: RawSpan, _ path: String) throws(BackupError) {
        var written = 0
        while written < bytes.byteCount {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + written, $0.count - written) }
            if count < 0 && errno == EINTR { continue }
            if count < 0 { throw systemError("write", path, otherwise: .fileWrite) }
            written += count
        }
    }

    /// What lies after the bytes that were written is a hole.
    func extend(to length: UInt64) throws(BackupError) {
        try call("extend", path, otherwise: .fileWrite) { ftruncate(descriptor, off_t(clamping: length)) }
    }

    func sync() throws(BackupError) {
        try call("sync", path, otherwise: .fileWrite) { fsync(descriptor) }
    }

    /// Begins to bring a large file to the disk, so that the sync of the whole file system at the end has little left to do.
    func startWriteback(_ size: UInt64) {
        if size >= 32 << 20 { _ = backstop_start_writeback(descriptor) }
    }

    /// Closes it; a network file system may report only now that the bytes could not be written.
    mutating func close() throws(BackupError) -> FileStatus {
        var status = FileStatus()
        try call("get information on", path) { fstat(descriptor, &status) }
        let closing = descriptor
        descriptor = -1
        if Glibc.close(closing) != 0 { throw systemError("close", path, otherwise: .fileWrite) }
        return status
    }

    deinit { if descriptor >= 0 { _ = Glibc.close(descriptor) } }
}

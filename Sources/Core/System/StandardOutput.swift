// What a command prints for whoever called it, as info, help and version do. A log is another thing (LogSink).

internal import Glibc

/// Where the answer of a command goes.
public enum StandardOutput {
    /// Writes all of `text`, and waits for its reader. Throws `.fileWrite` (64) when it cannot: half a page or half a document must not be
    /// taken for the whole.
    public static func write(_ text: String) throws(BackupError) {
        let number = FileName.bytes(text).withUnsafeBytes { write($0) }
        guard number != 0 else { return }
        throw BackupError(.fileWrite, "unable to write to standard output: \(systemMessage(number))")
    }

    /// 0 or the number of the error.
    private static func write(_ bytes: UnsafeRawBufferPointer) -> Int32 {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(STDOUT_FILENO, rest.baseAddress, rest.count)
            if count > 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            } else if errno == EAGAIN {
                // Whoever shares it made it so.
                var room = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
                _ = poll(&room, 1, -1)
            } else if errno != EINTR {
                return errno
            }
        }
        // A full disk of another host is told when a descriptor is closed.
        let copy = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
        return copy >= 0 && close(copy) != 0 ? errno : 0
    }
}

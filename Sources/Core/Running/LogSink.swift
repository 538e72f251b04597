// One place that lines of the log go to, which never holds up the command.

internal import Glibc

/// Nobody may read the log: the collector behind a pipe hangs, a terminal was stopped, a pager waits for its user. A backup that waits for that
/// keeps its locks, and an archive_command fills pg_wal. So what is not taken within a while is dropped, and counted.
///
/// The descriptor of our caller is not made non-blocking, since that would be so for all who share it. A pipe or terminal is opened a
/// second time instead; where that is not allowed, small pieces are written when there is room for them. Files are written as ever.
public struct LogSink: Sendable {
    private enum Kind { case file, socket, opened, shared }

    private let descriptor: Int32
    private let kind: Kind
    /// Lines that nobody took, not yet told.
    private var dropped = 0
    /// What is left of the time that this log may cost the command in all.
    private var patience: Duration
    /// Whether the last line was cut.
    private var isCut = false

    /// Bytes that a pipe takes at once when it has room at all.
    private static let piece = 4096

    /// `patience`: how long it may hold up the command in all.
    public init(_ number: Int32, patience: Duration = .seconds(5)) {
        self.patience = patience
        var status = stat()
        let format = fstat(number, &status) == 0 ? status.st_mode & S_IFMT : 0
        if format == S_IFSOCK {
            (descriptor, kind) = (number, .socket)
        } else if format == S_IFIFO || (format == S_IFCHR && isatty(number) == 1) {
            let again = Glibc.open("/proc/self/fd/\(number)", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
            (descriptor, kind) = again >= 0 ? (again, .opened) : (number, .shared)
        } else {
            (descriptor, kind) = (number, .file)
        }
    }

    /// `counts`: whether anybody should know when it is dropped.
    public mutating func write(_ text: String, counts: Bool = true) {
        if dropped > 0 {
            guard isReady(.zero) else {
                if counts { dropped += 1 }
                return
            }
            let note = (isCut ? "\n" : "") + "(\(dropped) lines of the log were dropped: nobody read it)\n"
            guard put(note) else { return dropped += counts ? 1 : 0 }
            dropped = 0
        }
        if !put(text), counts { dropped += 1 }
    }

    /// False when not all was taken. What a closed pipe or a full disk does to a log is nobody's error.
    private mutating func put(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                if kind == .shared, !isReady(patience) { return end(false, rest.count < bytes.count) }
                let count =
                    switch kind {
                    case .socket: send(descriptor, rest.baseAddress, rest.count, Int32(MSG_DONTWAIT))
                    case .shared: Glibc.write(descriptor, rest.baseAddress, min(rest.count, Self.piece))
                    case .file, .opened: Glibc.write(descriptor, rest.baseAddress, rest.count)
                    }
                if count > 0 {
                    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                } else if count < 0, errno == EINTR {
                    continue
                } else if count < 0, errno == EAGAIN, kind != .file {
                    guard isReady(patience) else { return end(false, rest.count < bytes.count) }
                } else {
                    return end(true, false)
                }
            }
            return end(true, false)
        }
    }

    private mutating func end(_ taken: Bool, _ isCut: Bool) -> Bool {
        self.isCut = isCut
        return taken
    }

    /// Waits until something can be written; the time is taken from what is left of the patience.
    private mutating func isReady(_ time: Duration) -> Bool {
        guard kind != .file else { return true }
        let begin = ContinuousClock.now
        defer { patience = max(.zero, patience - (ContinuousClock.now - begin)) }
        var waited = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        while true {
            let left = max(.zero, time - (ContinuousClock.now - begin)).components
            let found = poll(&waited, 1, Int32(left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000))
            if found < 0, errno == EINTR { continue }
            return found != 0
        }
    }
}

/// Opens a file for the log, and never waits for that. A link is followed only where it and its folder belong to root or to this user:
/// whoever else made it could choose where our lines go. -1 and errno when it cannot be used.
func openLogFile(_ path: String, _ modes: NewModes) -> Int32 {
    let flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK
    var descriptor = Glibc.open(path, flags | O_NOFOLLOW, 0o640)
    if descriptor < 0, errno == ELOOP, isOurs(path), isOurs(path.lastIndex(of: "/").map { String(path[...$0]) } ?? ".") {
        descriptor = Glibc.open(path, flags, 0o640)
    }
    var status = stat()
    guard descriptor >= 0 else { return -1 }
    guard fstat(descriptor, &status) == 0 else {
        close(descriptor)
        return -1
    }
    // A second name may be that of a file which others must not have written to.
    if status.st_mode & S_IFMT == S_IFREG, status.st_nlink != 1, status.st_uid != geteuid() || geteuid() == 0 {
        close(descriptor)
        errno = EMLINK
        return -1
    }
    if status.st_mode & S_IFMT == S_IFREG, status.st_size == 0 { modes.settle(descriptor, 0o640) }
    return descriptor
}

private func isOurs(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && [0, geteuid()].contains(status.st_uid)
}

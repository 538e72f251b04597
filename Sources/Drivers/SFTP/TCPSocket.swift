// A connection to a server by TCP that never waits by itself.

internal import BackstopCore
internal import Glibc

struct TCPSocket: ~Copyable {
    let descriptor: Int32

    /// Tries the addresses of the host one after the other.
    init(_ settings: SFTPSettings, until end: ContinuousClock.Instant) throws(BackupError) {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(settings.host, "\(settings.port)", &hints, &list)
        guard result == 0 else {
            throw BackupError(
                .unavailable,
                "unable to find host '\(settings.host)' of \(settings.option("host")): \(String(cString: gai_strerror(result)))")
        }
        defer { freeaddrinfo(list) }
        var failure = ""
        var next = list
        while let address = next?.pointee {
            next = address.ai_next
            let opened = socket(address.ai_family, address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
            if opened < 0 {
                failure = systemMessage(errno)
                continue
            }
            Self.set(settings, opened)
            if let problem = try Self.connect(opened, address, until: end) {
                failure = problem
                close(opened)
                continue
            }
            descriptor = opened
            return
        }
        throw BackupError(
            .unavailable, "unable to connect to \(settings.server): \(failure)",
            hint: "is a server there? (\(settings.option("host")), \(settings.option("host-port")))")
    }

    deinit { close(descriptor) }

    private static func set(_ settings: SFTPSettings, _ descriptor: Int32) {
        func set(_ level: Int32, _ option: Int32, _ value: Int) {
            var value = Int32(value)
            _ = setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
        let tcp = Int32(IPPROTO_TCP)
        // Requests are put together before they are sent.
        set(tcp, TCP_NODELAY, 1)
        set(SOL_SOCKET, SO_KEEPALIVE, settings.keepsAlive ? 1 : 0)
        guard settings.keepsAlive else { return }
        if let count = settings.keepAliveCount { set(tcp, TCP_KEEPCNT, count) }
        if let idle = settings.keepAliveIdle { set(tcp, TCP_KEEPIDLE, idle) }
        if let interval = settings.keepAliveInterval { set(tcp, TCP_KEEPINTVL, interval) }
    }

    /// nil when it succeeded.
    private static func connect(
        _ descriptor: Int32, _ address: addrinfo, until end: ContinuousClock.Instant
    ) throws(BackupError) -> String? {
        if Glibc.connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return nil }
        if errno != EINPROGRESS { return systemMessage(errno) }
        while !(try isReady(descriptor, Int16(POLLOUT), outlivesCancellation: false)) {
            if ContinuousClock.now >= end { return systemMessage(ETIMEDOUT) }
        }
        var result: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &result, &length)
        return result == 0 ? nil : systemMessage(result)
    }
}

/// Waits a moment. Throws when the process is asked to end.
func isReady(_ descriptor: Int32, _ events: Int16, outlivesCancellation: Bool) throws(BackupError) -> Bool {
    if !outlivesCancellation { try Cancellation.check() }
    var waited = pollfd(fd: descriptor, events: events, revents: 0)
    return poll(&waited, 1, 100) > 0
}

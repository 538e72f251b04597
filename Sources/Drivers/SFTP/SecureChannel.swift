// The channel to a server's sftp subsystem: libssh2 encrypts, we wait.

internal import BackstopCore
internal import CSsh2
internal import Glibc

final class SecureChannel: ByteChannel {
    var patience: Duration
    var outlivesCancellation = false
    private let settings: SFTPSettings
    private let socket: TCPSocket
    private let session: OpaquePointer
    private var channel: OpaquePointer?

    /// Bytes that the server may send unasked for: what it can answer while we are busy otherwise.
    private static let receiveWindow: UInt32 = 4 << 20
    /// The data of one answer, with what goes along.
    private static let packetSize: UInt32 = 34_000

    /// Connects, judges the host and logs in. `preference`: types of host keys, the preferred one first.
    init(_ settings: SFTPSettings, _ judge: HostKey, preference: String?) throws(BackupError) {
        if let problem = backstop_ssh2_load() {
            throw BackupError(
                .unsupported, "unable to load libssh2: \(String(cString: problem))",
                hint: "install libssh2 (on Debian: apt install libssh2-1).")
        }
        self.settings = settings
        patience = settings.timeout
        socket = try TCPSocket(settings, until: .now + min(settings.timeout, .seconds(15)))
        guard let session = backstop_ssh2_session() else { throw BackupError(.unavailable, "libssh2 has no memory") }
        self.session = session
        let end = ContinuousClock.now + settings.timeout
        // Nobody offers types of which the library has none.
        if let preference { _ = backstop_ssh2_method_pref(session, LIBSSH2_METHOD_HOSTKEY, preference) }
        let descriptor = socket.descriptor
        try check(try finish(end) { backstop_ssh2_handshake(session, descriptor) }, "agree on encryption with")
        var length = 0
        guard let bytes = backstop_ssh2_hostkey(session, &length) else { throw failure("get the key of", LIBSSH2_ERROR_HOSTKEY_INIT) }
        try judge.judge(Array(UnsafeRawBufferPointer(start: bytes, count: length)))
        try logIn(until: end)
        try openSubsystem(until: end)
    }

    deinit {
        _ = backstop_ssh2_disconnect(session)
        // Now nothing is waited for.
        shutdown(socket.descriptor, Int32(SHUT_RDWR))
        _ = backstop_ssh2_session_free(session)
    }

    // MARK: Beginning

    private func logIn(until end: ContinuousClock.Instant) throws(BackupError) {
        for (file, option) in [(settings.privateKeyFile, "private-key-file"), (settings.publicKeyFile ?? "", "public-key-file")]
        where !file.isEmpty && access(file, R_OK) != 0 {
            // Not .notFound, which would be said of an object.
            throw BackupError(
                .fileOpen, "unable to open '\(file)' of \(settings.option(option)): \(systemMessage(errno))",
                hint: "it has to be there and readable for this user (id \(geteuid())).")
        }
        let session = session, settings = settings
        let result = try finish(end) {
            backstop_ssh2_userauth_publickey(session, settings.user, settings.publicKeyFile, settings.privateKeyFile, settings.passphrase)
        }
        switch result {
        case 0: return
        case LIBSSH2_ERROR_FILE:
            throw BackupError(
                .denied, "unable to use the key '\(settings.privateKeyFile)' of \(settings.option("private-key-file")): \(words)",
                hint: settings.passphrase.isEmpty
                    ? "has it a passphrase? then set \(settings.option("private-key-passphrase"))."
                    : "is \(settings.option("private-key-passphrase")) the right one?")
        case LIBSSH2_ERROR_AUTHENTICATION_FAILED, LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED, LIBSSH2_ERROR_METHOD_NONE:
            throw BackupError(
                .denied,
                "\(settings.server) does not let user '\(settings.user)' in with the key '\(settings.privateKeyFile)': \(words)",
                hint: refusalHint)
        default: throw failure("log in to", result)
        }
    }

    private var refusalHint: String {
        let usual =
            "is its public key in that user's authorized_keys? (\(settings.option("host-user")), \(settings.option("private-key-file")))"
        guard PrivateKeyFile.isRSA(settings.privateKeyFile), backstop_ssh2_is_at_least(0x010B00) == 0 else { return usual }
        return usual
            + "\nlibssh2 \(String(cString: backstop_ssh2_version())) signs with RSA keys by SHA-1, which servers refuse by now: "
            + "use an ed25519 key, or libssh2 1.11."
    }

    private func openSubsystem(until end: ContinuousClock.Instant) throws(BackupError) {
        let session = session
        var opened: OpaquePointer?
        try check(
            try finish(end) {
                opened = backstop_ssh2_channel(session, Self.receiveWindow, Self.packetSize)
                return opened == nil ? backstop_ssh2_last_errno(session) : 0
            }, "open a channel to")
        guard let channel = opened else { throw failure("open a channel to", LIBSSH2_ERROR_CHANNEL_FAILURE) }
        self.channel = channel
        try check(try finish(end) { backstop_ssh2_ignore_errors(channel) }, "open a channel to")
        let result = try finish(end) { backstop_ssh2_subsystem(channel, "sftp") }
        guard result == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED else { return try check(result, "open sftp on") }
        throw BackupError(
            .denied, "\(settings.server) offers no sftp to user '\(settings.user)'", hint: "has sshd_config a 'Subsystem sftp'?")
    }

    // MARK: Waiting

    /// Repeats a call until it does not want to wait any more.
    private func finish(_ end: ContinuousClock.Instant, _ call: () -> Int32) throws(BackupError) -> Int32 {
        while true {
            let result = call()
            if result != LIBSSH2_ERROR_EAGAIN { return result }
            try wait(until: end, "answer within \(settings.timeout)")
        }
    }

    private func wait(until end: ContinuousClock.Instant, _ what: String) throws(BackupError) {
        let directions = backstop_ssh2_block_directions(session)
        var events = directions & LIBSSH2_SESSION_BLOCK_OUTBOUND != 0 ? POLLOUT : 0
        if directions & LIBSSH2_SESSION_BLOCK_INBOUND != 0 || events == 0 { events |= POLLIN }
        while !(try isReady(socket.descriptor, Int16(events), outlivesCancellation: outlivesCancellation)) {
            guard ContinuousClock.now < end else { throw BackupError(.unavailable, "\(settings.server) does not \(what)") }
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(BackupError) -> Int {
        var end: ContinuousClock.Instant?
        while true {
            if let count = try readNow(into: buffer) { return count }
            let limit = end ?? .now + patience
            end = limit
            try wait(until: limit, "answer within \(patience)")
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(BackupError) -> Int {
        guard let channel, let memory = bytes.baseAddress else { return 0 }
        var end: ContinuousClock.Instant?
        while true {
            let count = backstop_ssh2_write(channel, memory, bytes.count)
            if count > 0 { return count }
            guard count == 0 || count == Int(LIBSSH2_ERROR_EAGAIN) else { throw failure("write to", Int32(count)) }
            let limit = end ?? .now + patience
            end = limit
            try wait(until: limit, "take what is sent within \(patience)")
        }
    }

    func readNow(into buffer: UnsafeMutableRawBufferPointer) throws(BackupError) -> Int? {
        guard let channel, let memory = buffer.baseAddress else { return 0 }
        // Whether we are still there is asked by some servers now and then; that is answered on the way.
        let count = backstop_ssh2_read(channel, memory, buffer.count)
        if count > 0 { return count }
        if count == 0 && backstop_ssh2_eof(channel) != 0 { return 0 }
        guard count == 0 || count == Int(LIBSSH2_ERROR_EAGAIN) else { throw failure("read from", Int32(count)) }
        return nil
    }

    // MARK: Errors

    /// The library's words for its last error.
    private var words: String { String(cString: backstop_ssh2_last_error(session)) }

    private func check(_ result: Int32, _ action: String) throws(BackupError) {
        if result != 0 { throw failure(action, result) }
    }

    private func failure(_ action: String, _ result: Int32) -> BackupError {
        let message = "unable to \(action) \(settings.server): \(words) (\(result))"
        switch result {
        case LIBSSH2_ERROR_KEX_FAILURE, LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE, LIBSSH2_ERROR_METHOD_NONE, LIBSSH2_ERROR_METHOD_NOT_SUPPORTED:
            return BackupError(
                .protocol, message,
                hint:
                    "libssh2 \(String(cString: backstop_ssh2_version())) and the server have no method in common; "
                    + "before 1.11 it needs a host key that is ed25519 or ECDSA.")
        case LIBSSH2_ERROR_HOSTKEY_INIT, LIBSSH2_ERROR_HOSTKEY_SIGN: return BackupError(.denied, message)
        default: return BackupError(.unavailable, message)
        }
    }
}

/// What a file of a private key tells without its passphrase.
enum PrivateKeyFile {
    static func isRSA(_ file: String) -> Bool {
        guard case .success(let content) = contents(ofFile: file) else { return false }
        let lines = String(decoding: content.prefix(64 << 10), as: UTF8.self).split(separator: "\n")
        guard let first = lines.first else { return false }
        if first.contains("BEGIN RSA") { return true }
        // OpenSSH's own form has the public half in the clear.
        let text = lines.dropFirst().prefix { !$0.hasPrefix("-") }.joined()
        let head = bytes(base64: String(text.prefix(text.count / 4 * 4))) ?? []
        return String(decoding: head.prefix(400), as: UTF8.self).contains("ssh-rsa")
    }
}

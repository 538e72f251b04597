// The requests that the storage makes, one function each.

internal import BackstopCore

extension SFTPSession {
    static let posixRename = "posix-rename@openssh.com"
    static let fsync = "fsync@openssh.com"
    static let hardLink = "hardlink@openssh.com"

    // MARK: Sent, with the answer waited for later

    /// Of a request whose only fields are texts: paths, for most of them.
    func send(_ kind: Kind, _ texts: String...) throws(BackupError) -> UInt32 {
        try send(kind) { packet in for text in texts { packet.append(string: text) } }
    }

    func send(_ kind: Kind, handle: [UInt8]) throws(BackupError) -> UInt32 {
        try send(kind) { $0.append(string: handle) }
    }

    func sendOpen(_ path: String, _ flags: OpenFlags, mode: UInt32? = nil) throws(BackupError) -> UInt32 {
        try send(.open) { packet in
            packet.append(string: path)
            packet.append(flags.rawValue)
            Self.append(mode: mode, to: packet)
        }
    }

    func sendRead(_ handle: [UInt8], _ offset: UInt64, _ count: Int) throws(BackupError) -> UInt32 {
        try send(.read) { packet in
            packet.append(string: handle)
            packet.append(offset)
            packet.append(UInt32(count))
        }
    }

    func sendWrite(_ handle: [UInt8], _ offset: UInt64, _ bytes: RawSpan) throws(BackupError) -> UInt32 {
        try send(.write) { packet in
            packet.append(string: handle)
            packet.append(offset)
            bytes.withUnsafeBytes { packet.append(string: $0) }
        }
    }

    func sendSync(_ handle: [UInt8]) throws(BackupError) -> UInt32 {
        try send(.extended) { packet in
            packet.append(string: Self.fsync)
            packet.append(string: handle)
        }
    }

    private static func append(mode: UInt32?, to packet: PacketBuffer) {
        packet.append(mode == nil ? UInt32(0) : 4)
        if let mode { packet.append(mode) }
    }

    // MARK: Answered

    /// Of a request that is answered with a status.
    func status(_ id: UInt32) throws(BackupError) -> SFTPStatus {
        guard case .status(let status) = try answer(id) else { throw unexpected() }
        return status
    }

    func handle(_ id: UInt32) throws(BackupError) -> SFTPResult<[UInt8]> {
        switch try answer(id) {
        case .handle(let handle) where handle.count <= 256: return .done(handle)
        case .status(let status) where !status.isOK: return .refused(status)
        default: throw unexpected()
        }
    }

    func attributes(_ id: UInt32) throws(BackupError) -> SFTPResult<SFTPAttributes> {
        switch try answer(id) {
        case .attributes(let attributes): return .done(attributes)
        case .status(let status) where !status.isOK: return .refused(status)
        default: throw unexpected()
        }
    }

    func unexpected() -> BackupError { broken("answers something else than was asked") }

    func open(_ path: String, _ flags: OpenFlags, mode: UInt32? = nil) throws(BackupError) -> SFTPResult<[UInt8]> {
        try handle(try sendOpen(path, flags, mode: mode))
    }

    /// `follow`: a symbolic link is looked through.
    func attributes(of path: String, follow: Bool) throws(BackupError) -> SFTPResult<SFTPAttributes> {
        try attributes(try send(follow ? .stat : .lstat, path))
    }

    func remove(_ path: String) throws(BackupError) -> SFTPStatus { try status(try send(.remove, path)) }
    func removeFolder(_ path: String) throws(BackupError) -> SFTPStatus { try status(try send(.rmdir, path)) }

    func makeFolder(_ path: String, mode: UInt32) throws(BackupError) -> SFTPStatus {
        try status(
            try send(.mkdir) { packet in
                packet.append(string: path)
                Self.append(mode: mode, to: packet)
            })
    }

    /// Fails when `new` exists.
    func rename(_ old: String, _ new: String) throws(BackupError) -> SFTPStatus { try status(try send(.rename, old, new)) }

    /// One of the requests that OpenSSH added, on two paths.
    func extended(_ name: String, _ old: String, _ new: String) throws(BackupError) -> SFTPStatus {
        try status(try send(.extended, name, old, new))
    }

    /// Nobody waits for the answer.
    func close(_ handle: [UInt8]) {
        // A conversation that broke closes everything by its end.
        try? { () throws(BackupError) in _ = try send(.close, handle: handle) }()
        forgetAnswers()
    }
}

/// What was asked for, or the server's no.
enum SFTPResult<Value: Sendable>: Sendable {
    case done(Value)
    case refused(SFTPStatus)

    /// `refused` as an error; `action` and `what` as in `SFTPStatus.error`.
    func get(_ action: String, _ what: String, otherwise: BackupError.Code = .io) throws(BackupError) -> Value {
        switch self {
        case .done(let value): return value
        case .refused(let status): throw status.error(action, what, otherwise: otherwise)
        }
    }
}

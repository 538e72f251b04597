// The one error of the program: a code that decides, a message for people, a hint what to do.

/// What went wrong. `code` decides what the program does (and its exit status), `message` says what was attempted on what,
/// `hint` what to do about it. Drivers translate their vendor's errors into it at their edge.
public struct BackupError: Error, Sendable {
    /// What the program decides by. Two names of one exit status differ in who says so: a driver, or a command.
    public enum Code: String, Sendable, CaseIterable {
        // What a storage, a codec or a checksum may answer; these names also travel on the wire.
        case notFound, alreadyExists, denied, unsupported, invalid, corrupt, unavailable, full, cancelled, io

        // What a command may answer besides: the field's error names (cli.md section 1.11).
        case assertion, checksum, config, fileInvalid, format, commandRequired, optionInvalid, optionInvalidValue, optionRequired
        case pgRunning, `protocol`, pathNotEmpty, fileOpen, fileRead, parameterRequired, archiveMismatch, archiveDuplicate
        case versionNotSupported, pathCreate, commandInvalid, hostConnect, lockAcquire, backupMismatch, pathOpen, fileMissing
        case dbConnect, dbQuery, dbMismatch, fileRemove, stopped, fileWrite, archiveCommandInvalid, linkExpected
        case linkDestination, hostInvalid, pathMissing, backupSetInvalid, tablespaceMap, linkMap, dbMissing, dbInvalid, archiveTimeout
        case archiveDisabled, fileExists, crypto, parameterInvalid, execute, repoInvalid, commandFailed, clock, unhandled

        /// Exit status of the process (cli.md section 1.11).
        public var exitStatus: Int32 {
            switch self {
            case .assertion: 25
            case .checksum: 26
            case .config: 27
            case .fileInvalid: 28
            case .format, .corrupt: 29
            case .commandRequired: 30
            case .optionInvalid: 31
            case .optionInvalidValue, .invalid: 32
            case .optionRequired: 37
            case .pgRunning: 38
            case .protocol: 39
            case .pathNotEmpty: 40
            case .fileOpen, .denied: 41
            case .fileRead, .io: 42
            case .parameterRequired: 43
            case .archiveMismatch: 44
            case .archiveDuplicate: 45
            case .versionNotSupported: 46
            case .pathCreate: 47
            case .commandInvalid: 48
            case .hostConnect, .unavailable: 49
            case .lockAcquire: 50
            case .backupMismatch: 51
            case .pathOpen: 53
            case .fileMissing, .notFound: 55
            case .dbConnect: 56
            case .dbQuery: 57
            case .dbMismatch: 58
            case .fileRemove: 60
            case .stopped: 62
            case .cancelled: 63
            case .fileWrite, .full: 64
            case .unsupported: 67
            case .archiveCommandInvalid: 68
            case .linkExpected: 69
            case .linkDestination: 70
            case .hostInvalid: 72
            case .pathMissing: 73
            case .backupSetInvalid: 75
            case .tablespaceMap: 76
            case .linkMap: 78
            case .dbMissing: 80
            case .dbInvalid: 81
            case .archiveTimeout: 82
            case .archiveDisabled: 87
            case .alreadyExists, .fileExists: 93
            case .crypto: 95
            case .parameterInvalid: 96
            case .execute: 102
            case .repoInvalid: 103
            case .commandFailed: 104
            case .clock: 106
            case .unhandled: 124
            }
        }
    }

    /// What callers decide by; the texts are for people only.
    public var code: Code
    /// What was attempted on what, without a full stop.
    public var message: String
    /// What to do about it; lines are separated by line breaks.
    public var hint: String?
    /// What led to it, told after the message.
    public var cause: (any Error)?

    public init(_ code: Code, _ message: String, hint: String? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.cause = cause
    }

    /// The same error with what was being done put in front of its message.
    public func during(_ action: String) -> BackupError {
        var error = self
        error.message = "\(action): \(message)"
        return error
    }
}

extension BackupError: CustomStringConvertible {
    /// Message, hints and causes, a line each, as shown to the user after `ERROR: [0NN]: `.
    public var description: String {
        var text = message
        if let hint { text += hint.split(separator: "\n").map { "\nHINT: \($0)" }.joined() }
        if let cause { text += "\ncaused by: \(cause)" }
        return text
    }
}

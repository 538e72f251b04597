// The driver of servers that are reached by SFTP: from options to a storage.

internal import BackstopCore
internal import Glibc

let sftp = StorageDriver(name: "sftp") { (options, index, context) async throws(BackupError) in
    let channels = SecureChannels(context.log)
    return try await SFTPStorage.open(try SFTPSettings(options, index), context.log) { (settings) throws(BackupError) in
        try channels.open(settings)
    }
}

extension SFTPSettings {
    init(_ options: Options, _ index: Int) throws(BackupError) {
        self.index = index
        host = try options.required("repo-sftp-host", index)
        user = try options.required("repo-sftp-host-user", index)
        privateKeyFile = expandedPath(try options.required("repo-sftp-private-key-file", index))
        root = try options.required("repo-path", index)
        if root == "/" { root = "" }
        port = options.number("repo-sftp-host-port", index).map { Int($0) } ?? port
        passphrase = options.string("repo-sftp-private-key-passphrase", index) ?? passphrase
        publicKeyFile = options.string("repo-sftp-public-key-file", index).map(expandedPath)
        switch options.string("repo-sftp-host-key-check-type", index) {
        case "accept-new": hostKeyCheck = .acceptNew
        case "fingerprint": hostKeyCheck = .fingerprint
        case "none": hostKeyCheck = .none
        default: hostKeyCheck = .strict
        }
        switch options.string("repo-sftp-host-key-hash-type", index) {
        case "md5": hashType = .md5
        case "sha1": hashType = .sha1
        default: hashType = .sha256
        }
        if hostKeyCheck == .fingerprint || options.isGiven("repo-sftp-host-fingerprint", index) {
            let text = try options.required("repo-sftp-host-fingerprint", index)
            fingerprint = try hashType.digest(hexadecimal: text, option: option("host-fingerprint"))
        }
        let given = options.list("repo-sftp-known-host", index)
        knownHosts = (given.isEmpty ? Self.usualKnownHosts : given).map(expandedPath)
        timeout = options.duration("io-timeout") ?? timeout
        answerTimeout = max(timeout, options.duration("protocol-timeout") ?? answerTimeout)
        keepsAlive = options.optionalFlag("sck-keep-alive") ?? true
        keepAliveCount = options.number("tcp-keep-alive-count").map { Int($0) }
        keepAliveIdle = options.number("tcp-keep-alive-idle").map { Int($0) }
        keepAliveInterval = options.number("tcp-keep-alive-interval").map { Int($0) }
    }
}

extension SFTPSettings.HashType {
    var byteCount: Int {
        switch self {
        case .md5: 16
        case .sha1: 20
        case .sha256: 32
        }
    }

    /// Colons between the bytes, as ssh-keygen writes them for MD5, are let pass.
    func digest(hexadecimal text: String, option: String) throws(BackupError) -> [UInt8] {
        let digits = text.filter { $0 != ":" }
        let numbers = digits.compactMap(\.hexDigitValue)
        guard numbers.count == digits.count, numbers.count == byteCount * 2 else {
            throw BackupError(
                .optionInvalidValue, "'\(text)' is not valid for '\(option)' option",
                hint:
                    "a fingerprint by \(rawValue.lowercased()) has \(byteCount * 2) hexadecimal digits:\n"
                    + "ssh-keyscan HOST | cut -d' ' -f3 | base64 -d | \(rawValue.lowercased())sum")
        }
        return stride(from: 0, to: numbers.count, by: 2).map { UInt8(numbers[$0] << 4 | numbers[$0 + 1]) }
    }
}

/// With the home folder of this user in place of a `~` at the beginning.
private func expandedPath(_ path: String) -> String {
    guard path == "~" || path.hasPrefix("~/") else { return path }
    let home = getenv("HOME").map { String(cString: $0) } ?? getpwuid(geteuid()).map { String(cString: $0.pointee.pw_dir) }
    return (home ?? "") + path.dropFirst()
}

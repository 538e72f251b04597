// The driver of servers that are reached by SFTP: from options to a storage.

internal import BackstopCore
internal import Glibc

let sftp = StorageDriver(name: "sftp", options: SFTPOptions.specs, hasLinks: false, check: checkFingerprint) {
    (options, index, context) async throws(BackupError) in
    let channels = SecureChannels(context.log)
    return try await SFTPStorage.open(try SFTPSettings(options, index), context.log) { (settings) throws(BackupError) in
        try channels.open(settings)
    }
}

/// Who judges a host by a fingerprint needs one.
@Sendable private func checkFingerprint(_ options: Options, _ index: Int, _ command: String) throws(BackupError) {
    guard options[SFTPOptions.hostKeyCheckType, index] == "fingerprint", options[SFTPOptions.hostFingerprint, index] == nil else { return }
    throw BackupError(
        .optionRequired, "command '\(command)' requires option 'repo\(index)-sftp-host-fingerprint'",
        hint: "repo\(index)-sftp-host-key-check-type=fingerprint has nothing else to judge the host by.")
}

extension SFTPSettings {
    init(_ options: Options, _ index: Int) throws(BackupError) {
        self.index = index
        host = try options.required(SFTPOptions.host, index)
        user = try options.required(SFTPOptions.hostUser, index)
        privateKeyFile = expandedPath(try options.required(SFTPOptions.privateKeyFile, index))
        root = options[PlaceOptions.path, index]
        if root == "/" { root = "" }
        port = options[SFTPOptions.hostPort, index]
        passphrase = options[SFTPOptions.privateKeyPassphrase, index] ?? passphrase
        publicKeyFile = options[SFTPOptions.publicKeyFile, index].map(expandedPath)
        switch options[SFTPOptions.hostKeyCheckType, index] {
        case "accept-new": hostKeyCheck = .acceptNew
        case "fingerprint": hostKeyCheck = .fingerprint
        case "none": hostKeyCheck = .none
        default: hostKeyCheck = .strict
        }
        switch options[SFTPOptions.hostKeyHashType, index] {
        case "md5": hashType = .md5
        case "sha1": hashType = .sha1
        default: hashType = .sha256
        }
        if hostKeyCheck == .fingerprint || options.isGiven(SFTPOptions.hostFingerprint, index) {
            let text = try options.required(SFTPOptions.hostFingerprint, index)
            fingerprint = try hashType.digest(hexadecimal: text, option: option("host-fingerprint"))
        }
        let given = options[SFTPOptions.knownHost, index]
        knownHosts = (given.isEmpty ? Self.usualKnownHosts : given).map(expandedPath)
        timeout = options[NetworkOptions.ioTimeout]
        answerTimeout = max(timeout, options[NetworkOptions.protocolTimeout])
        keepsAlive = options[NetworkOptions.sckKeepAlive]
        keepAliveCount = options[NetworkOptions.tcpKeepAliveCount]
        keepAliveIdle = options[NetworkOptions.tcpKeepAliveIdle]
        keepAliveInterval = options[NetworkOptions.tcpKeepAliveInterval]
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

// What the options of a repository say about its server.

internal import BackstopCore

struct SFTPSettings: Sendable {
    enum HostKeyCheck: Sendable { case strict, acceptNew, fingerprint, none }
    enum HashType: String, Sendable { case md5 = "MD5", sha1 = "SHA1", sha256 = "SHA256" }

    /// Of the repository, for the names of options in messages.
    var index = 1
    var host: String
    var port = 22
    var user: String
    var privateKeyFile: String
    /// Empty: none.
    var passphrase = ""
    var publicKeyFile: String?
    var hostKeyCheck = HostKeyCheck.strict
    var hashType = HashType.sha256
    var fingerprint: [UInt8]?
    /// Files of known hosts; a new key goes to the first one.
    var knownHosts: [String] = []
    /// Where the repository is, without `/` at its end.
    var root: String

    /// Without a byte; and until an answer that the server may have to work for.
    var timeout: Duration = .seconds(60)
    var answerTimeout: Duration = .seconds(1830)
    var keepsAlive = true
    /// nil: as the system does. Times in seconds.
    var keepAliveCount: Int?
    var keepAliveIdle: Int?
    var keepAliveInterval: Int?

    static let usualKnownHosts = [
        "~/.ssh/known_hosts", "~/.ssh/known_hosts2", "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2",
    ]

    func path(_ key: Key) -> String { key.isRoot ? (root.isEmpty ? "/" : root) : "\(root)/\(key.path)" }

    /// For messages.
    var location: String { "sftp://\(authority)\(root)" }
    var authority: String { (host.contains(":") ? "[\(host)]" : host) + (port == 22 ? "" : ":\(port)") }
    var server: String { "sftp server '\(authority)'" }

    func option(_ name: String) -> String { "repo\(index)-sftp-\(name)" }
}

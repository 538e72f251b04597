// How a repository is encrypted, where its own host says so.

/// A repository whose own host says how it is encrypted, so that it need not be said here.
public struct Encryption: Sendable, Equatable {
    /// As in `repo-cipher-type`.
    public var cipher: String
    /// As in `repo-cipher-pass`: a secret.
    public var passphrase: String
    public init(cipher: String, passphrase: String) {
        self.cipher = cipher
        self.passphrase = passphrase
    }
}

/// A storage on another host, with that host's own configuration.
public protocol FarStorage: Storage {
    var encryption: Encryption? { get }
}

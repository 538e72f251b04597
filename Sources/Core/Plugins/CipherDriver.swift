// What a cipher is to those who choose it by name.

/// An encryption of whole objects by a passphrase.
public struct CipherDriver: Sendable {
    /// As in `repo-cipher-type`.
    public var name: String
    /// Throws `.crypto` when the host's library does not offer it.
    public var open: @Sendable (_ passphrase: String, _ framing: Framing) throws(BackupError) -> any Codec

    public init(name: String, open: @escaping @Sendable (String, Framing) throws(BackupError) -> any Codec) {
        self.name = name
        self.open = open
    }
}

// What a cipher is to those who choose it by name.

/// An encryption of whole objects by passphrases.
public struct CipherDriver: Sendable {
    /// As in `repo-cipher-type`.
    public var name: String
    /// What the first bytes of an object say of it; nil when they are not those of this cipher.
    public var recognizes: @Sendable (_ beginning: [UInt8]) -> CipherHeader?
    /// Decodes what any of the keys has encrypted, by what stands in front of it. Encodes in the format that is written here, by the key for
    /// objects that name none. Throws `.crypto` when the host's library does not offer it.
    public var open: @Sendable (_ keys: CipherKeys, _ framing: Framing) throws(BackupError) -> any Codec

    /// `name`: as in `repo-cipher-type`.
    public init(
        name: String, recognizes: @escaping @Sendable ([UInt8]) -> CipherHeader?,
        open: @escaping @Sendable (CipherKeys, Framing) throws(BackupError) -> any Codec
    ) {
        self.name = name
        self.recognizes = recognizes
        self.open = open
    }
}

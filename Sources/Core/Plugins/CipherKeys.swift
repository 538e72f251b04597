// The keys that encrypted objects may be encrypted by, under the ids that their headers name (format-6.md section 2.1).

/// A passphrase, and how a key is derived from it.
public struct CipherKey: Sendable, Equatable {
    /// The digest of the derivation, by its name in info files.
    public enum Derivation: String, Sendable { case sha1, sha256 }

    /// As info files have it; it is not decoded.
    public var text: String
    /// nil: of the repository's own passphrase, as the format in the header has it.
    public var derivation: Derivation?

    /// `derivation`: nil of the repository's own passphrase.
    public init(_ text: String, _ derivation: Derivation?) { (self.text, self.derivation) = (text, derivation) }

    /// The key's own, or that of the format in the header of the object.
    public func derivation(inFormat format: Int) -> Derivation { derivation ?? (format > CipherHeader.formatOfSalted ? .sha256 : .sha1) }
}

/// All that objects of one kind may be encrypted by.
public struct CipherKeys: Sendable, Equatable {
    /// Which headers objects have.
    public enum Headers: Sendable {
        /// Only the one of format 5: manifests and what backups consist of, in each format.
        case salted
        /// All of them: info files and the WAL archive.
        case all
    }

    /// By their ids, which are compared as text.
    public var keys: [String: CipherKey]
    /// What may stand in front of the objects.
    public var headers: Headers

    /// Of the key for objects that name none.
    public static let unnamed = "0"

    /// `keys`: by their ids.
    public init(_ keys: [String: CipherKey], _ headers: Headers) { (self.keys, self.headers) = (keys, headers) }

    /// The passphrase of a repository, by which its info files are encrypted.
    public init(passphrase: String) { self.init([Self.unnamed: CipherKey(passphrase, nil)], .all) }

    /// What is to be said when there is no key of this id.
    public static func missing(_ id: String) -> BackupError { BackupError(.crypto, "unable to find cipher key '\(id)'") }
}

// What stands in front of the salt of an encrypted object: its repository format, and which key it was encrypted by (format-6.md section 3).

/// Not authenticated: it says what to try, and proves nothing.
public struct CipherHeader: Sendable, Equatable {
    /// One of `RepositoryFormat.readable`.
    public var format: Int
    /// Of the key; `CipherKeys.unnamed` where the header names none.
    public var keyID: String
    /// Bytes of the header.
    public var size: Int

    /// What the first bytes of an object come to.
    public enum Beginning: Sendable, Equatable {
        /// It takes so many bytes in all to go on.
        case needs(Int)
        /// The salt follows it.
        case header(CipherHeader)
    }

    /// That of `openssl enc`, which is the only one of its format.
    public static let salted = Array("Salted__".utf8)
    /// Which that is.
    public static let formatOfSalted = 5
    /// Bytes of a header at most.
    public static let longest = 8 + 1 + 255
    private static let family = Array("PGBR".utf8)

    /// `bytes`: an object from its first byte on, as many as there are or more than it takes. Throws `.crypto` (95) for what has no header, and
    /// `.format` (29) for one that is none or of a format that is not read.
    public static func read(_ bytes: [UInt8]) throws(BackupError) -> Beginning {
        guard bytes.count >= salted.count else { return .needs(salted.count) }
        if bytes.starts(with: salted) {
            return .header(CipherHeader(format: formatOfSalted, keyID: CipherKeys.unnamed, size: salted.count))
        }
        guard bytes.starts(with: family) else {
            throw BackupError(.crypto, "cipher header invalid", hint: "is the file damaged, or was it stored without repo-cipher-type?")
        }
        let digits = bytes[family.count..<salted.count - 1]
        guard digits.allSatisfy({ (48...57).contains($0) }) else { throw invalid }
        let format = try RepositoryFormat.check(digits.reduce(0) { $0 * 10 + Int64($1 - 48) })
        switch bytes[salted.count - 1] {
        case UInt8(ascii: "_"): return .header(CipherHeader(format: format, keyID: CipherKeys.unnamed, size: salted.count))
        case UInt8(ascii: "K"):
            guard bytes.count > salted.count else { return .needs(salted.count + 1) }
            let start = salted.count + 1
            let length = Int(bytes[salted.count])
            guard length > 0 else { throw invalid }
            guard bytes.count >= start + length else { return .needs(start + length) }
            let id = String(decoding: bytes[start..<start + length], as: UTF8.self)
            return .header(CipherHeader(format: format, keyID: id, size: start + length))
        default: throw invalid
        }
    }

    /// nil: these are not the first bytes of an encrypted object.
    public init?(beginning bytes: [UInt8]) {
        guard case .header(let header)? = try? Self.read(bytes) else { return nil }
        self = header
    }

    private init(format: Int, keyID: String, size: Int) { (self.format, self.keyID, self.size) = (format, keyID, size) }

    private static var invalid: BackupError { BackupError(.format, "invalid cipher header") }
}

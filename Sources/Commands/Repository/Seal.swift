// How something in a repository is encrypted: the cipher and the keys, never one without the other.

import BackstopCore

/// `Seal?` is nil for what is stored in the clear. Each file that stands for others (info files, manifests) names the keys of those
/// (repository-format.md section 8.2, format-6.md section 5); its seal is made from that and from the seal of the file itself.
struct Seal: Sendable {
    private let driver: CipherDriver
    /// Each with its own way of derivation, by the ids that headers name.
    let keys: CipherKeys
    /// Of the file that names the keys: objects of another format do not belong beside it.
    private let format: Int

    init(_ encryption: Encryption, _ registry: Registry) throws(BackupError) {
        driver = try registry.cipher(encryption.cipher)
        keys = CipherKeys(passphrase: encryption.passphrase)
        format = RepositoryFormat.written
    }

    private init(_ driver: CipherDriver, _ keys: CipherKeys, _ format: Int) {
        (self.driver, self.keys, self.format) = (driver, keys, format)
    }

    /// As in `repo-cipher-type`.
    var cipher: String { driver.name }

    /// Throws `.format` where what it would write could not be read: a header of format 5 names no key that a file of format 6 has.
    func encoder(_ framing: Framing = .normal) throws(BackupError) -> Step {
        try RepositoryFormat.requireWritten(format)
        return .transform(try driver.open(keys, framing).encoder())
    }

    func decoder(_ framing: Framing = .normal) throws(BackupError) -> Step { .transform(try driver.open(keys, framing).decoder()) }

    /// The format that the first bytes of a stored object name; nil: it is not encrypted by this cipher.
    func format(ofObject beginning: [UInt8]) -> Int? { driver.recognizes(beginning)?.format }

    /// The same cipher with a new key: 48 random bytes as base64.
    func renewed() -> Seal {
        var generator = SystemRandomNumberGenerator()
        let text = base64((0..<48).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
        return Seal(driver, CipherKeys([CipherKeys.unnamed: CipherKey(text, .sha1)], .all), RepositoryFormat.written)
    }

    /// The seal of what a file stands for. `outer`: that of the file itself; `cipher`: its section of that name; `format`: of the file;
    /// `headers`: of what it stands for. Throws `.crypto` when the two do not go together: what is to be encrypted must not be stored in the
    /// clear for want of a key. `.format` for keys that are not of the file's format.
    static func inner(
        of outer: Seal?, _ cipher: CipherSection, format: Int, _ headers: CipherKeys.Headers
    ) throws(BackupError) -> Seal? {
        switch (outer, try cipher.keys(format: format)) {
        case (nil, nil): return nil
        case (let outer?, let keys?) where !keys.isEmpty && !keys.values.contains(where: \.text.isEmpty):
            return Seal(outer.driver, CipherKeys(keys, headers), format)
        case (.some, _):
            throw BackupError(
                .crypto, "the repository is encrypted, but the file names no passphrase (cipher-pass) for what it stands for",
                hint: "nothing is read or stored without it: was the file repaired by hand, or written by another tool?"
                    + "\nput it back from another copy of the repository.")
        case (nil, .some):
            throw BackupError(
                .crypto, "the file names a passphrase (cipher-pass), but the repository is not encrypted",
                hint:
                    "what it stands for is encrypted: set the repository's cipher-type and cipher-pass options, and store the file encrypted."
            )
        }
    }
}

extension Seal? {
    /// The last steps of what is stored.
    func encryption(_ framing: Framing = .normal) throws(BackupError) -> [Step] {
        guard let seal = self else { return [] }
        return [try seal.encoder(framing)]
    }

    /// The first steps of what is read.
    func decryption(_ framing: Framing = .normal) throws(BackupError) -> [Step] {
        guard let seal = self else { return [] }
        return [try seal.decoder(framing)]
    }
}

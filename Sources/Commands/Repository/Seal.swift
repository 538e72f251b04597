// How something in a repository is encrypted: the cipher and the passphrase, never one without the other.

import BackstopCore

/// `Seal?` is nil for what is stored in the clear. Each file that stands for others (info files, manifests) names the passphrase of those
/// (repository-format.md section 8.2); its seal is made from that and from the seal of the file itself.
struct Seal: Sendable {
    private let driver: CipherDriver
    /// As the files of the repository name it.
    let passphrase: String

    init(_ encryption: Encryption, _ registry: Registry) throws(BackupError) {
        driver = try registry.cipher(encryption.cipher)
        passphrase = encryption.passphrase
    }

    private init(_ driver: CipherDriver, _ passphrase: String) { (self.driver, self.passphrase) = (driver, passphrase) }

    /// As in `repo-cipher-type`.
    var cipher: String { driver.name }

    func encoder(_ framing: Framing = .normal) throws(BackupError) -> Step { .transform(try driver.open(passphrase, framing).encoder()) }
    func decoder(_ framing: Framing = .normal) throws(BackupError) -> Step { .transform(try driver.open(passphrase, framing).decoder()) }

    /// The same cipher with a new passphrase: 48 random bytes as base64.
    func renewed() -> Seal {
        var generator = SystemRandomNumberGenerator()
        return Seal(driver, base64((0..<48).map { _ in UInt8.random(in: .min ... .max, using: &generator) }))
    }

    /// The seal of what a file stands for. `outer`: that of the file itself; `passphrase`: what its `[cipher]` section names.
    /// Throws `.crypto` when the two do not go together: what is to be encrypted must not be stored in the clear for want of a passphrase.
    static func inner(of outer: Seal?, passphrase: String?) throws(BackupError) -> Seal? {
        switch (outer, passphrase) {
        case (nil, nil): return nil
        case (let outer?, let passphrase?) where !passphrase.isEmpty: return Seal(outer.driver, passphrase)
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

extension Seal {
    var entry: (section: String, key: String, value: JSON) { ("cipher", "cipher-pass", .string(passphrase)) }
}

extension InfoFileWriter {
    /// The section that names the passphrase.
    mutating func add(_ seal: Seal?) {
        if let seal { add(seal.entry.section, seal.entry.key, seal.entry.value) }
    }
}

// aes-256-cbc: libcrypto, in the layout of `openssl enc`: a random salt in front, from which and a passphrase the key comes; before it what
// says which passphrase that is.

import BackstopCore
import CCrypto

struct Aes256Cbc: Codec {
    private let keys: AesKeys
    private let framing: Framing

    init(keys: CipherKeys, framing: Framing) throws(BackupError) {
        self.keys = try AesKeys(keys)
        self.framing = framing
    }

    /// Writes the header of format 5.
    func encoder() throws(BackupError) -> any Transform {
        let key = try keys.key(CipherKeys.unnamed, inFormat: CipherHeader.formatOfSalted)
        return AesEncoder(try AesContext(), key, framing)
    }

    func decoder() throws(BackupError) -> any Transform { AesDecoder(try AesContext(), keys, framing) }
}

private let saltSize = 8
private let blockSize = 16

/// A passphrase as bytes, with the function that makes a key of it.
private struct AesKey: Sendable {
    let passphrase: [UInt8]
    let digest: Libcrypto.Digest
}

private struct AesKeys: Sendable {
    let headers: CipherKeys.Headers
    private let keys: [String: CipherKey]

    init(_ keys: CipherKeys) throws(BackupError) {
        guard !keys.keys.values.contains(where: \.text.isEmpty) else {
            throw BackupError(.crypto, "the passphrase of aes-256-cbc is empty", hint: "set repo-cipher-pass.")
        }
        headers = keys.headers
        self.keys = keys.keys
    }

    /// Throws `.crypto` when there is none.
    func key(_ id: String, inFormat format: Int) throws(BackupError) -> AesKey {
        guard let key = keys[id] else { throw CipherKeys.missing(id) }
        let digest: Libcrypto.Digest =
            switch key.derivation(inFormat: format) {
            case .sha1: .sha1
            case .sha256: .sha256
            }
        return AesKey(passphrase: Array(key.text.utf8), digest: digest)
    }
}

/// The cipher and the derivation of its key.
private final class AesContext {
    // Never changed nor freed; libcrypto allows its use by any number of threads.
    nonisolated(unsafe) private static let function = EVP_CIPHER_fetch(nil, "AES-256-CBC", nil)

    let cipher: OpaquePointer
    private let digest: OpaquePointer
    /// Key, initialisation vector, and the rest of the last digest.
    private let derived = UnsafeMutablePointer<UInt8>.allocate(capacity: derivedSize)

    private static let keySize = 32
    private static let derivedSize = 64

    init() throws(BackupError) {
        guard let cipher = EVP_CIPHER_CTX_new(), let digest = EVP_MD_CTX_new() else { throw .noContext("libcrypto") }
        self.cipher = cipher
        self.digest = digest
    }

    deinit {
        EVP_CIPHER_CTX_free(cipher)
        EVP_MD_CTX_free(digest)
        OPENSSL_cleanse(derived, Self.derivedSize)
        derived.deallocate()
    }

    /// Starts a stream with what one round of EVP_BytesToKey makes of a passphrase and this salt.
    func start(_ key: AesKey, salt: UnsafeRawBufferPointer, encrypt: Bool) throws(BackupError) {
        let function = try key.digest.function()
        let size = Int(EVP_MD_get_size(function))
        var done = true
        for target in stride(from: derived, to: derived + Self.keySize + blockSize, by: size) {
            done = done && EVP_DigestInit_ex2(digest, function, nil) == 1
            if target > derived { done = done && EVP_DigestUpdate(digest, target - size, size) == 1 }
            done = done && key.passphrase.withUnsafeBytes { EVP_DigestUpdate(digest, $0.baseAddress, $0.count) } == 1
            done = done && EVP_DigestUpdate(digest, salt.baseAddress, salt.count) == 1
            done = done && EVP_DigestFinal_ex(digest, target, nil) == 1
        }
        // Naming the function again would make libcrypto allocate its state again.
        let cipherFunction = EVP_CIPHER_CTX_get0_cipher(cipher) == nil ? Self.function : nil
        done = done && EVP_CipherInit_ex2(cipher, cipherFunction, derived, derived + Self.keySize, encrypt ? 1 : 0, nil) == 1
        guard done else {
            ERR_clear_error()
            throw BackupError(.crypto, "libcrypto cannot start aes-256-cbc")
        }
    }
}

/// How many of `rest` bytes to cipher next, so that they and what libcrypto kept back (less than two blocks) go straight into `room`
/// bytes; a little by way of the spill when hardly anything can.
private func piece(_ rest: Int, room: Int) -> Int { min(rest, max(room - 2 * blockSize, 2 * blockSize), largestPiece) }
private let spillSize = 4 * blockSize

private final class AesEncoder: Transform {
    private let context: AesContext
    private let key: AesKey
    private let framing: Framing
    private var spill = Spill(capacity: spillSize)
    private var begun = false
    private var finished = false

    init(_ context: AesContext, _ key: AesKey, _ framing: Framing) {
        self.context = context
        self.key = key
        self.framing = framing
    }

    func process(_ input: RawSpan, into out: inout OutputRawSpan, end: Bool) throws(BackupError) -> Progress {
        spill.drain(into: &out)
        if !spill.isEmpty || out.freeCapacity == 0 || (input.isEmpty && !end) {
            return Progress(consumed: 0, done: finished && spill.isEmpty)
        }
        if finished { return Progress(consumed: 0, done: true) }
        if !begun { try begin(&out) }
        var taken = 0
        while taken < input.byteCount && spill.isEmpty && out.freeCapacity > 0 {
            let count = piece(input.byteCount - taken, room: out.freeCapacity)
            try input.extracting(taken..<taken + count).withUnsafeBytes { (bytes) throws(BackupError) in
                try spill.write(into: &out, atMost: count + 2 * blockSize) { (room) throws(BackupError) in
                    var given: Int32 = 0
                    guard EVP_EncryptUpdate(context.cipher, room.bytes, &given, bytes.bytes, Int32(count)) == 1 else {
                        throw BackupError(.crypto, "libcrypto cannot encrypt")
                    }
                    return Int(given)
                }
            }
            taken += count
        }
        if end && taken == input.byteCount && spill.isEmpty && out.freeCapacity > 0 {
            try spill.write(into: &out, atMost: 2 * blockSize) { (room) throws(BackupError) in
                var given: Int32 = 0
                guard EVP_EncryptFinal_ex(context.cipher, room.bytes, &given) == 1 else {
                    throw BackupError(.crypto, "libcrypto cannot end an encryption")
                }
                return Int(given)
            }
            finished = true
        }
        return Progress(consumed: taken, done: finished && spill.isEmpty)
    }

    /// Draws a salt and gives the header.
    private func begin(_ out: inout OutputRawSpan) throws(BackupError) {
        try spill.write(into: &out, atMost: CipherHeader.salted.count + saltSize) { (room) throws(BackupError) in
            var size = 0
            if framing == .normal {
                room.copyBytes(from: CipherHeader.salted)
                size = CipherHeader.salted.count
            }
            let salt = UnsafeMutableRawBufferPointer(rebasing: room[size..<size + saltSize])
            guard RAND_bytes(salt.bytes, Int32(saltSize)) == 1 else {
                throw BackupError(.crypto, "libcrypto has no random bytes for a salt")
            }
            try context.start(key, salt: UnsafeRawBufferPointer(salt), encrypt: true)
            return size + saltSize
        }
        begun = true
    }

    func reset() throws(BackupError) {
        begun = false
        finished = false
        spill.clear()
    }
}

private final class AesDecoder: Transform {
    private let context: AesContext
    private let keys: AesKeys
    private let framing: Framing
    private var spill = Spill(capacity: spillSize)
    /// What comes before the ciphertext, as far as it came.
    private var header: [UInt8] = []
    /// Bytes before the salt, and the key, once they are known.
    private var known: (size: Int, key: AesKey)?
    /// The key for objects that name none, which nearly all are encrypted by.
    private var usual: (format: Int, key: AesKey)?
    private var begun = false
    private var finished = false

    init(_ context: AesContext, _ keys: AesKeys, _ framing: Framing) {
        self.context = context
        self.keys = keys
        self.framing = framing
        header.reserveCapacity(32)
    }

    func process(_ input: RawSpan, into out: inout OutputRawSpan, end: Bool) throws(BackupError) -> Progress {
        spill.drain(into: &out)
        if !spill.isEmpty || out.freeCapacity == 0 || (input.isEmpty && !end) {
            return Progress(consumed: 0, done: finished && spill.isEmpty)
        }
        if finished { return Progress(consumed: 0, done: true) }
        var taken = 0
        if !begun { taken = try begin(input, end: end) }
        while taken < input.byteCount && spill.isEmpty && out.freeCapacity > 0 {
            let count = piece(input.byteCount - taken, room: out.freeCapacity)
            try input.extracting(taken..<taken + count).withUnsafeBytes { (bytes) throws(BackupError) in
                try spill.write(into: &out, atMost: count + 2 * blockSize) { (room) throws(BackupError) in
                    var given: Int32 = 0
                    guard EVP_DecryptUpdate(context.cipher, room.bytes, &given, bytes.bytes, Int32(count)) == 1 else {
                        throw BackupError(.crypto, "libcrypto cannot decrypt")
                    }
                    return Int(given)
                }
            }
            taken += count
        }
        if end && begun && taken == input.byteCount && spill.isEmpty && out.freeCapacity > 0 {
            try spill.write(into: &out, atMost: 2 * blockSize) { (room) throws(BackupError) in
                var given: Int32 = 0
                guard EVP_DecryptFinal_ex(context.cipher, room.bytes, &given) == 1 else {
                    ERR_clear_error()
                    throw BackupError(
                        .crypto, "unable to decrypt: the passphrase is wrong or the data is damaged or truncated",
                        hint: "was the stanza made with another repo-cipher-pass?")
                }
                return Int(given)
            }
            finished = true
        }
        return Progress(consumed: taken, done: finished && spill.isEmpty)
    }

    /// Takes the header, and starts when it is whole. Answers how many bytes it took.
    private func begin(_ input: RawSpan, end: Bool) throws(BackupError) -> Int {
        var taken = 0
        while !begun {
            let wanted = try whole()
            let count = min(wanted - header.count, input.byteCount - taken)
            if count == 0, wanted > header.count {
                if end { throw BackupError(.crypto, "cipher header missing", hint: Self.notEncrypted) }
                return taken
            }
            input.extracting(taken..<taken + count).withUnsafeBytes { header.append(contentsOf: $0) }
            taken += count
            guard let known, header.count == known.size + saltSize else { continue }
            try header.withUnsafeBufferPointer { (bytes) throws(BackupError) in
                let salt = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[known.size...]))
                try context.start(known.key, salt: salt, encrypt: false)
            }
            begun = true
        }
        return taken
    }

    private static let notEncrypted = "is the file cut, or was it stored without repo-cipher-type?"

    /// Bytes before the ciphertext, as far as is known by now.
    private func whole() throws(BackupError) -> Int {
        if let known { return known.size + saltSize }
        guard framing == .normal else { return try know(0, CipherKeys.unnamed, format: CipherHeader.formatOfSalted) }
        if keys.headers == .salted, header.count >= CipherHeader.salted.count, !header.starts(with: CipherHeader.salted) {
            throw BackupError(.crypto, "cipher header invalid", hint: Self.notEncrypted)
        }
        switch try CipherHeader.read(header) {
        case .needs(let count): return count
        case .header(let found): return try know(found.size, found.keyID, format: found.format)
        }
    }

    private func know(_ size: Int, _ id: String, format: Int) throws(BackupError) -> Int {
        if id == CipherKeys.unnamed, let usual, usual.format == format {
            known = (size, usual.key)
        } else {
            let key = try keys.key(id, inFormat: format)
            if id == CipherKeys.unnamed { usual = (format, key) }
            known = (size, key)
        }
        return size + saltSize
    }

    func reset() throws(BackupError) {
        header.removeAll(keepingCapacity: true)
        known = nil
        begun = false
        finished = false
        spill.clear()
    }
}

extension UnsafeRawBufferPointer {
    fileprivate var bytes: UnsafePointer<UInt8>? { baseAddress?.assumingMemoryBound(to: UInt8.self) }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate var bytes: UnsafeMutablePointer<UInt8>? { baseAddress?.assumingMemoryBound(to: UInt8.self) }
}

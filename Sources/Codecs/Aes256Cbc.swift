// aes-256-cbc: libcrypto, in the layout of `openssl enc -md sha1`: a random salt in front, from which and the passphrase the key comes.

import BackstopCore
import CCrypto

struct Aes256Cbc: Codec {
    let passphrase: [UInt8]
    let framing: Framing

    init(passphrase: String, framing: Framing) throws(BackupError) {
        guard !passphrase.isEmpty else {
            throw BackupError(.crypto, "the passphrase of aes-256-cbc is empty", hint: "set repo-cipher-pass.")
        }
        self.passphrase = Array(passphrase.utf8)
        self.framing = framing
    }

    func encoder() throws(BackupError) -> any Transform { AesEncoder(try AesContext(passphrase), framing) }
    func decoder() throws(BackupError) -> any Transform { AesDecoder(try AesContext(passphrase), framing) }
}

private let magic = Array("Salted__".utf8)
private let saltSize = 8
private let blockSize = 16

/// The cipher and the derivation of its key.
private final class AesContext {
    // Never changed nor freed; libcrypto allows its use by any number of threads.
    nonisolated(unsafe) private static let function = EVP_CIPHER_fetch(nil, "AES-256-CBC", nil)

    let cipher: OpaquePointer
    private let digest: OpaquePointer
    private let passphrase: [UInt8]
    /// Key, initialisation vector, and the rest of the third digest.
    private let derived = UnsafeMutablePointer<UInt8>.allocate(capacity: 3 * 20)

    init(_ passphrase: [UInt8]) throws(BackupError) {
        guard let cipher = EVP_CIPHER_CTX_new(), let digest = EVP_MD_CTX_new() else { throw .noContext("libcrypto") }
        self.cipher = cipher
        self.digest = digest
        self.passphrase = passphrase
    }

    deinit {
        EVP_CIPHER_CTX_free(cipher)
        EVP_MD_CTX_free(digest)
        OPENSSL_cleanse(derived, 60)
        derived.deallocate()
    }

    /// Starts a stream with the key of this salt.
    func start(salt: UnsafeRawBufferPointer, encrypt: Bool) throws(BackupError) {
        let sha1 = try Libcrypto.Digest.sha1.function()
        var done = true
        for round in 0..<3 {
            let target = derived + round * 20
            done = done && EVP_DigestInit_ex2(digest, sha1, nil) == 1
            if round > 0 { done = done && EVP_DigestUpdate(digest, target - 20, 20) == 1 }
            done = done && passphrase.withUnsafeBytes { EVP_DigestUpdate(digest, $0.baseAddress, $0.count) } == 1
            done = done && EVP_DigestUpdate(digest, salt.baseAddress, salt.count) == 1
            done = done && EVP_DigestFinal_ex(digest, target, nil) == 1
        }
        // Naming the function again would make libcrypto allocate its state again.
        let function = EVP_CIPHER_CTX_get0_cipher(cipher) == nil ? Self.function : nil
        done = done && EVP_CipherInit_ex2(cipher, function, derived, derived + 32, encrypt ? 1 : 0, nil) == 1
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
    private let framing: Framing
    private var spill = Spill(capacity: spillSize)
    private var begun = false
    private var finished = false

    init(_ context: AesContext, _ framing: Framing) {
        self.context = context
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
        try spill.write(into: &out, atMost: magic.count + saltSize) { (room) throws(BackupError) in
            var size = 0
            if framing == .normal {
                room.copyBytes(from: magic)
                size = magic.count
            }
            let salt = UnsafeMutableRawBufferPointer(rebasing: room[size..<size + saltSize])
            guard RAND_bytes(salt.bytes, Int32(saltSize)) == 1 else {
                throw BackupError(.crypto, "libcrypto has no random bytes for a salt")
            }
            try context.start(salt: UnsafeRawBufferPointer(salt), encrypt: true)
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
    private let framing: Framing
    private var spill = Spill(capacity: spillSize)
    /// The magic, if there is one, and the salt, as far as they came.
    private var header: [UInt8]
    private var begun = false
    private var finished = false

    init(_ context: AesContext, _ framing: Framing) {
        self.context = context
        self.framing = framing
        header = []
        header.reserveCapacity(magic.count + saltSize)
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
        let whole = framing == .normal ? magic.count + saltSize : saltSize
        let count = min(whole - header.count, input.byteCount)
        input.extracting(0..<count).withUnsafeBytes { header.append(contentsOf: $0) }
        if framing == .normal && !header.starts(with: magic.prefix(header.count)) || (header.count < whole && end) {
            throw BackupError(
                .crypto, "this is not encrypted: the header of aes-256-cbc is missing",
                hint: "was the repository made without repo-cipher-type?")
        }
        if header.count == whole {
            try header.withUnsafeBufferPointer { (bytes) throws(BackupError) in
                try context.start(salt: UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[(whole - saltSize)...])), encrypt: false)
            }
            begun = true
        }
        return count
    }

    func reset() throws(BackupError) {
        header.removeAll(keepingCapacity: true)
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

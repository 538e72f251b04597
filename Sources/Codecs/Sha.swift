// sha1, sha256 and sha512 by libcrypto.

import BackstopCore
import CCrypto

struct Sha: ChecksumProvider {
    let algorithm: Libcrypto.Digest
    func make() throws(BackupError) -> any Checksum { try ShaChecksum(algorithm) }
}

/// What is looked up in libcrypto once for the whole process: a lookup costs more than the digest of a small file.
enum Libcrypto {
    enum Digest: String, Sendable {
        case sha1 = "SHA1"
        case sha256 = "SHA2-256"
        case sha512 = "SHA2-512"

        /// Throws where the system's libcrypto was built or configured without it.
        func function() throws(BackupError) -> OpaquePointer {
            let found =
                switch self {
                case .sha1: Libcrypto.sha1
                case .sha256: Libcrypto.sha256
                case .sha512: Libcrypto.sha512
                }
            guard let found else {
                throw BackupError(
                    .unsupported, "libcrypto of this host has no \(rawValue)", hint: "does its configuration (openssl.cnf) switch it off?")
            }
            return found
        }
    }

    // Never changed nor freed; libcrypto allows their use by any number of threads.
    nonisolated(unsafe) private static let sha1 = fetch(.sha1)
    nonisolated(unsafe) private static let sha256 = fetch(.sha256)
    nonisolated(unsafe) private static let sha512 = fetch(.sha512)

    private static func fetch(_ digest: Digest) -> OpaquePointer? { EVP_MD_fetch(nil, digest.rawValue, nil) }
}

private final class ShaChecksum: Checksum {
    private let context: OpaquePointer
    private let result: UnsafeMutableBufferPointer<UInt8>
    /// Once a step failed the digest means nothing; `finish`, which is allowed to, says so.
    private var isValid: Bool

    init(_ algorithm: Libcrypto.Digest) throws(BackupError) {
        let function = try algorithm.function()
        guard let context = EVP_MD_CTX_new() else { throw BackupError(.crypto, "libcrypto cannot make a digest") }
        self.context = context
        result = .allocate(capacity: Int(EVP_MD_get_size(function)))
        result.initialize(repeating: 0)
        isValid = EVP_DigestInit_ex2(context, function, nil) == 1
    }

    deinit {
        EVP_MD_CTX_free(context)
        result.deallocate()
    }

    func update(_ bytes: RawSpan) {
        let status = bytes.withUnsafeBytes { EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
        if status != 1 { isValid = false }
    }

    func finish() throws(BackupError) {
        guard isValid, EVP_DigestFinal_ex(context, result.baseAddress, nil) == 1 else {
            throw BackupError(.crypto, "libcrypto cannot compute a digest")
        }
    }

    /// The same function again, and so the same memory.
    func reset() { isValid = EVP_DigestInit_ex2(context, nil, nil) == 1 }

    var digest: Digest { Digest(Array(result)) }
}

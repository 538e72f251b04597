// sha1, sha256 and sha512 by libcrypto.

import BackstopCore
import CCrypto

struct Sha: ChecksumProvider {
    let algorithm: Libcrypto.Digest
    func make() -> any Checksum { ShaChecksum(algorithm) }
}

/// What is looked up in libcrypto once for the whole process: a lookup costs more than the digest of a small file.
enum Libcrypto {
    enum Digest: Sendable {
        case sha1, sha256, sha512

        var function: OpaquePointer {
            switch self {
            case .sha1: Libcrypto.sha1
            case .sha256: Libcrypto.sha256
            case .sha512: Libcrypto.sha512
            }
        }
    }

    // Never changed nor freed; libcrypto allows their use by any number of threads.
    nonisolated(unsafe) private static let sha1 = fetch("SHA1")
    nonisolated(unsafe) private static let sha256 = fetch("SHA2-256")
    nonisolated(unsafe) private static let sha512 = fetch("SHA2-512")

    private static func fetch(_ name: String) -> OpaquePointer {
        guard let function = EVP_MD_fetch(nil, name, nil) else { fatalError("libcrypto has no \(name)") }
        return function
    }
}

private final class ShaChecksum: Checksum {
    private let context: OpaquePointer
    private let result: UnsafeMutableBufferPointer<UInt8>

    init(_ algorithm: Libcrypto.Digest) {
        guard let context = EVP_MD_CTX_new() else { fatalError("libcrypto cannot make a context") }
        self.context = context
        result = .allocate(capacity: Int(EVP_MD_get_size(algorithm.function)))
        result.initialize(repeating: 0)
        precondition(EVP_DigestInit_ex2(context, algorithm.function, nil) == 1, "libcrypto cannot start a digest")
    }

    deinit {
        EVP_MD_CTX_free(context)
        result.deallocate()
    }

    func update(_ bytes: RawSpan) {
        let status = bytes.withUnsafeBytes { EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
        precondition(status == 1, "libcrypto cannot go on with a digest")
    }

    func finish() throws(BackupError) {
        guard EVP_DigestFinal_ex(context, result.baseAddress, nil) == 1 else {
            throw BackupError(.assertion, "libcrypto cannot end a digest")
        }
    }

    /// The same function again, and so the same memory.
    func reset() { precondition(EVP_DigestInit_ex2(context, nil, nil) == 1, "libcrypto cannot start a digest") }

    var digest: Digest { Digest(Array(result)) }
}

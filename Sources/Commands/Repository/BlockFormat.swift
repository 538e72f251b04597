// How a file is cut into blocks (repository-format.md section 6.1).

import BackstopCore
import CXxhash

/// What is fixed for a file as long as its map is in use.
struct BlockFormat: Sendable, Equatable {
    /// Of 8192 bytes. Kept small, since there is one of these for each file.
    private let units: UInt32
    private let checksumBytes: UInt8

    /// `size`: bytes, a multiple of 8192. `checksumSize`: bytes of a block's checksum, up to 16.
    init(size: UInt64, checksumSize: Int) { (units, checksumBytes) = (UInt32(size / 8192), UInt8(checksumSize)) }

    var size: UInt64 { UInt64(units) * 8192 }
    var checksumSize: Int { Int(checksumBytes) }

    /// The checksum of one block.
    func checksum(_ bytes: UnsafeRawBufferPointer) -> ArraySlice<UInt8> {
        var digest = [UInt8](repeating: 0, count: 16)
        backstop_xxh3(bytes.baseAddress, bytes.count, &digest)
        return digest.prefix(checksumSize)
    }
}

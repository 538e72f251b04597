// Steps that look at the bytes without changing them: checksums, sizes, page checks.

/// Sees all bytes that flow past its place in a chain.
public protocol Tap: AnyObject {
    func update(_ bytes: RawSpan)
    /// Called once after the last byte. One that throws stops the put before it commits.
    func finish() throws(BackupError)
    func reset()
}

/// A digest of a fixed number of bytes.
public struct Digest: Sendable, Hashable, CustomStringConvertible {
    /// 20 of SHA-1, 32 of SHA-256.
    public let bytes: [UInt8]
    public init(_ bytes: [UInt8]) { self.bytes = bytes }
    /// Lower case hexadecimal.
    public var description: String { hexadecimal(bytes) }
}

/// A tap that computes a digest; `digest` is valid after `finish`.
public protocol Checksum: Tap {
    var digest: Digest { get }
}

/// Makes checksums of one kind: one for each worker, which resets it for each object.
public protocol ChecksumProvider: Sendable {
    func make() throws(BackupError) -> any Checksum
}

/// Counts the bytes that pass.
public final class ByteCount: Tap {
    /// Since the last `reset`.
    public private(set) var count: UInt64 = 0
    public init() {}
    public func update(_ bytes: RawSpan) { count += UInt64(bytes.byteCount) }
    public func finish() {}
    public func reset() { count = 0 }
}

/// Stops a put when the bytes are not those expected.
public final class Expect: Tap {
    private let checksum: any Checksum
    private let size: ByteCount
    private var wanted: (digest: String?, size: UInt64?)

    public init(_ checksum: any Checksum) {
        self.checksum = checksum
        size = ByteCount()
        wanted = (nil, nil)
    }

    /// Sets what the next object must be: its size in bytes and its digest in hexadecimal; nil: any.
    public func next(digest: String?, size: UInt64?) { wanted = (digest, size) }

    public func update(_ bytes: RawSpan) {
        size.update(bytes)
        checksum.update(bytes)
    }

    /// Throws `.checksum` when the size or the digest is another one.
    public func finish() throws(BackupError) {
        try checksum.finish()
        if let expected = wanted.size, size.count != expected {
            throw BackupError(.checksum, "has \(size.count) bytes, expected \(expected)")
        }
        if let digest = wanted.digest, checksum.digest.description != digest {
            throw BackupError(.checksum, "has checksum \(checksum.digest), expected \(digest)")
        }
    }

    public func reset() {
        checksum.reset()
        size.reset()
    }
}

/// Lower case, two digits a byte.
public func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits: StaticString = "0123456789abcdef"
    return String(decoding: bytes.flatMap { [digits.utf8Start[Int($0 >> 4)], digits.utf8Start[Int($0 & 15)]] }, as: UTF8.self)
}

// Bytes whose number is known before they come.

/// The bytes of another source, which are an error as soon as they are more than expected: a small damaged or forged file may inflate to
/// more than any disk holds, and what fills up must not be the first that notices.
public struct BoundedSource<Source: ByteSource & ~Copyable>: ByteSource, ~Copyable {
    private var source: Source
    private let limit: UInt64
    private var count: UInt64 = 0

    /// Throws `.checksum` with the first byte past `limit`.
    public init(_ source: consuming Source, atMost limit: UInt64) {
        self.source = source
        self.limit = limit
    }

    public mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool {
        let before = out.byteCount
        let more = try await source.read(into: &out)
        count += UInt64(out.byteCount - before)
        guard count <= limit else { throw BackupError(.checksum, "has more than the expected \(limit) bytes") }
        return more
    }
}

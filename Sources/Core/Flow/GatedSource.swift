// Bytes that may be on their way before it is known whether they shall be stored.

/// The bytes of another source. Its end is told only when `gate` lets it pass, and nothing becomes visible before the end: a `put` may
/// begin while whoever decides still waits for answers, and leaves nothing when the gate throws.
public struct GatedSource: ByteSource, ~Copyable {
    private var source: any ByteSource & ~Copyable
    private let gate: @Sendable () async throws(BackupError) -> Void

    public init(_ source: consuming any ByteSource & ~Copyable, _ gate: @escaping @Sendable () async throws(BackupError) -> Void) {
        self.source = source
        self.gate = gate
    }

    public mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool {
        if try await source.read(into: &out) { return true }
        try await gate()
        return false
    }
}

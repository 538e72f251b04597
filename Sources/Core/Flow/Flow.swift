// A source seen through a chain of steps.

/// What a destination pulls: the bytes of `source` after all steps of `chain`.
public struct Flow: ByteSource, ~Copyable {
    private var source: any ByteSource & ~Copyable
    private let chain: Chain

    /// Resets `chain` and owns `source`.
    public init(_ source: consuming any ByteSource & ~Copyable, _ chain: Chain) throws(BackupError) {
        try chain.reset()
        self.source = source
        self.chain = chain
    }

    public mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool {
        try Cancellation.check()
        return try await chain.pull(from: &source, into: &out)
    }
}

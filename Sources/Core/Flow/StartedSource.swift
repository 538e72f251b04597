// Bytes whose beginning is looked at before it is decided what becomes of them.

/// A source of which as much as fits into one block is read ahead. Whoever only wants to know what the taps before it found need not store
/// what ended in there.
public struct StartedSource<Source: ByteSource & ~Copyable>: ByteSource, ~Copyable {
    private var source: Source
    private let start: LentBlock
    /// All of it is in the block: the steps before it have seen the end.
    public let isWhole: Bool

    /// There was not a single byte.
    public var isEmpty: Bool { isWhole && start.block.count == 0 }

    /// Reads until the block is full or `source` has ended.
    public init(_ source: consuming Source, into block: consuming LentBlock) async throws(BackupError) {
        isWhole = try await !block.block.fillWhole(from: &source)
        self.source = source
        start = block
    }

    public mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool {
        guard start.block.count > 0 else { return isWhole ? false : try await source.read(into: &out) }
        let count = min(start.block.count, out.freeCapacity)
        start.block.withBytes { bytes in bytes.extracting(0..<count).withUnsafeBytes { out.append(contentsOf: $0) } }
        start.block.drop(count)
        return !isWhole || start.block.count > 0
    }
}

// Memory with one owner: the buffers that data flows through, allocated once per worker and used again for every object.

/// A piece of memory that is filled at its end and taken from its start.
public struct Block: ~Copyable {
    let base: UnsafeMutableRawPointer
    public let capacity: Int
    var start = 0
    var end = 0

    /// `capacity` in bytes.
    public init(capacity: Int) {
        base = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 4096)
        self.capacity = capacity
    }

    deinit { base.deallocate() }

    /// Bytes that wait to be taken.
    public var count: Int { end - start }
    public var isFull: Bool { end == capacity && start == 0 }

    public mutating func clear() {
        start = 0
        end = 0
    }

    public mutating func drop(_ count: Int) {
        start += count
        if start == end { clear() }
    }

    public func withBytes<Result>(_ body: (RawSpan) throws(BackupError) -> Result) throws(BackupError) -> Result {
        try body(RawSpan(_unsafeStart: UnsafeRawPointer(base + start), byteCount: count))
    }

    public func withBytes<Result>(_ body: (RawSpan) -> Result) -> Result {
        body(RawSpan(_unsafeStart: UnsafeRawPointer(base + start), byteCount: count))
    }

    /// Lets `body` append into the free memory.
    public mutating func append<Result>(_ body: (inout OutputRawSpan) throws(BackupError) -> Result) throws(BackupError) -> Result {
        makeRoom()
        let free = UnsafeMutableRawBufferPointer(start: base + end, count: capacity - end)
        var out = OutputRawSpan(buffer: free, initializedCount: 0)
        let result = try body(&out)
        end += out.finalize(for: free)
        return result
    }

    /// Asks `source` once for bytes. False when it has ended.
    public mutating func fill<Source: ByteSource & ~Copyable>(from source: inout Source) async throws(BackupError) -> Bool {
        makeRoom()
        let free = UnsafeMutableRawBufferPointer(start: base + end, count: capacity - end)
        var out = OutputRawSpan(buffer: free, initializedCount: 0)
        let more = try await source.read(into: &out)
        end += out.finalize(for: free)
        return more
    }

    /// Asks `source` until the block is full. False when it has ended.
    public mutating func fillWhole<Source: ByteSource & ~Copyable>(from source: inout Source) async throws(BackupError) -> Bool {
        while !isFull {
            if try await !fill(from: &source) { return false }
        }
        return true
    }

    private mutating func makeRoom() {
        guard end == capacity, start > 0 else { return }
        base.copyMemory(from: base + start, byteCount: count)
        end -= start
        start = 0
    }
}

/// Blocks of one size that a worker keeps between objects. Not shared: each worker has its own.
public final class BlockPool {
    public let blockSize: Int
    private var free: [UnsafeMutablePointer<Block>] = []

    public init(blockSize: Int = 1 << 20) { self.blockSize = blockSize }

    deinit { for block in free { block.deinitialize(count: 1).deallocate() } }

    /// Lends a block, cleared, for the time of `body`.
    public func withBlock<Result>(
        _ body: (inout Block) async throws(BackupError) -> Result
    ) async throws(BackupError) -> Result {
        let block: UnsafeMutablePointer<Block>
        if let kept = free.popLast() {
            block = kept
        } else {
            block = .allocate(capacity: 1)
            block.initialize(to: Block(capacity: blockSize))
        }
        block.pointee.clear()
        defer { free.append(block) }
        return try await body(&block.pointee)
    }
}

// Memory with one owner: the buffers that data flows through, allocated once per worker and used again for every object.

import Synchronization

/// A piece of memory that is filled at its end and taken from its start. Sendable because it has a single owner.
public struct Block: ~Copyable, @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    /// Bytes of memory.
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
    /// All of the memory holds bytes that wait to be taken.
    public var isFull: Bool { end == capacity && start == 0 }

    /// Forgets what waits; the memory stays.
    public mutating func clear() {
        start = 0
        end = 0
    }

    /// Takes `count` bytes from the start; no more than there are.
    public mutating func drop(_ count: Int) {
        start += count
        if start == end { clear() }
    }

    /// Shows the bytes that wait to be taken.
    public func withBytes<Result>(_ body: (RawSpan) throws(BackupError) -> Result) throws(BackupError) -> Result {
        try body(RawSpan(_unsafeStart: UnsafeRawPointer(base + start), byteCount: count))
    }

    /// Shows the bytes that wait to be taken.
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

/// Blocks of one size that are kept between objects, safe to use from any worker: a driver's part buffers.
public final class BlockPool: Sendable {
    // The pointers in the list have no other owner: a block is in the list or lent.
    private struct Kept: @unchecked Sendable { var blocks: [UnsafeMutablePointer<Block>] = [] }

    /// Bytes of each block.
    public let blockSize: Int
    private let kept = Mutex(Kept())

    public init(blockSize: Int = BlockSize.standard) { self.blockSize = blockSize }

    deinit { kept.withLock { for block in $0.blocks { block.deinitialize(count: 1).deallocate() } } }

    /// A cleared block, which goes back to the pool at the end of its life.
    public func lend() -> LentBlock {
        let last = kept.withLock { kept in Kept(blocks: kept.blocks.popLast().map { [$0] } ?? []) }
        if let pointer = last.blocks.first {
            pointer.pointee.clear()
            return LentBlock(pointer: pointer, pool: self)
        }
        let pointer = UnsafeMutablePointer<Block>.allocate(capacity: 1)
        pointer.initialize(to: Block(capacity: blockSize))
        return LentBlock(pointer: pointer, pool: self)
    }

    fileprivate func take(back lent: borrowing LentBlock) {
        let pointer = Kept(blocks: [lent.pointer])
        kept.withLock { $0.blocks += pointer.blocks }
    }
}

/// A block of a pool, given back at the end of its life.
public struct LentBlock: ~Copyable, @unchecked Sendable {
    fileprivate let pointer: UnsafeMutablePointer<Block>
    fileprivate let pool: BlockPool

    /// Empty when it was lent; it has no other user while this value lives.
    public var block: Block {
        _read { yield pointer.pointee }
        nonmutating _modify { yield &pointer.pointee }
    }

    deinit { pool.take(back: self) }
}

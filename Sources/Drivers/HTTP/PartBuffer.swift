// Memory of one part of an object on its way to or from a server: it stays in place while libcurl works with it.

internal import BackstopCore
internal import Synchronization

/// Filled by one owner at a time: the worker that puts, or the transfer that gets.
final class PartBuffer: @unchecked Sendable {
    // `count` belongs to whoever fills the buffer; others learn of it through the mutex of the exchange.
    let memory: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(capacity: Int) { memory = .allocate(byteCount: capacity, alignment: 4096) }

    convenience init(_ text: String) {
        self.init(capacity: text.utf8.count)
        _ = Array(text.utf8).withUnsafeBytes { append($0) }
    }

    deinit { memory.deallocate() }

    var capacity: Int { memory.count }
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

    func clear() { count = 0 }

    /// False when they do not fit.
    func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= capacity - count else { return false }
        if let source = bytes.baseAddress { (memory.baseAddress! + count).copyMemory(from: source, byteCount: bytes.count) }
        count += bytes.count
        return true
    }

    /// Asks `source` until the first `limit` bytes are filled. False when it has ended.
    func fill<Source: ByteSource & ~Copyable>(from source: inout Source, limit: Int) async throws(BackupError) -> Bool {
        while count < limit {
            let free = UnsafeMutableRawBufferPointer(rebasing: memory[count..<limit])
            var out = OutputRawSpan(buffer: free, initializedCount: 0)
            let more = try await source.read(into: &out)
            count += out.finalize(for: free)
            if !more { return false }
        }
        return true
    }
}

/// Buffers of one size, kept between objects. A buffer that nobody gives back is freed.
final class PartBufferPool: Sendable {
    private let kept = Mutex<[PartBuffer]>([])
    let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    func take() -> PartBuffer {
        if let buffer = kept.withLock({ $0.popLast() }) {
            buffer.clear()
            return buffer
        }
        return PartBuffer(capacity: capacity)
    }

    func give(back buffer: PartBuffer) { kept.withLock { $0.append(buffer) } }
}

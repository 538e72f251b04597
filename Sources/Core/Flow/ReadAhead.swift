// A source that works ahead on a thread of its own: reading and decoding go on while the destination writes.

import Glibc

/// For the one large object of a short command, where a second core would be idle. Workers of a parallel command do not need it.
public struct ReadAhead: ByteSource, ~Copyable {
    private let pipe: Pipe

    /// Owns `source`. Keeps up to `depth` blocks of `blockSize` bytes.
    public init(_ source: consuming any ByteSource & ~Copyable, depth: Int = 4, blockSize: Int = BlockSize.standard) throws(BackupError) {
        pipe = Pipe(source, try Lane.start(), depth: depth, blockSize: blockSize)
        pipe.start()
    }

    deinit { pipe.abandon() }

    public mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool { try pipe.take(into: &out) }
}

/// A ring of blocks between the thread that fills them and the one that takes them.
private final class Pipe: @unchecked Sendable {
    // `source` and the block at `filled` belong to the filling thread, the block at `taken` to the taking one; the counters, `ended`,
    // `failure` and `isAbandoned` are guarded by `mutex`.
    private var source: any ByteSource & ~Copyable
    private let blocks: UnsafeMutableBufferPointer<Block>
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var filled = 0
    private var taken = 0
    private var ended = false
    private var failure: BackupError?
    private var isAbandoned = false
    private let lane: Lane

    init(_ source: consuming any ByteSource & ~Copyable, _ lane: Lane, depth: Int, blockSize: Int) {
        self.source = source
        self.lane = lane
        blocks = .allocate(capacity: depth)
        for index in 0..<depth { (blocks.baseAddress! + index).initialize(to: Block(capacity: blockSize)) }
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        blocks.deinitialize().deallocate()
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    func start() {
        Task(executorPreference: lane) {
            await self.fill()
            self.lane.close()
        }
    }

    /// The reader is gone: the filling thread ends at its next block.
    func abandon() {
        pthread_mutex_lock(mutex)
        isAbandoned = true
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
    }

    private func fill() async {
        var more = true
        while more {
            guard let index = waitForRoom() else { return }
            var problem: BackupError?
            do throws(BackupError) {
                blocks[index].clear()
                more = try await blocks[index].fillWhole(from: &source)
            } catch {
                problem = error
                more = false
            }
            pthread_mutex_lock(mutex)
            filled += 1
            ended = !more
            failure = problem
            pthread_cond_broadcast(changed)
            pthread_mutex_unlock(mutex)
        }
    }

    /// nil when the reader is gone.
    private func waitForRoom() -> Int? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while filled - taken == blocks.count && !isAbandoned { pthread_cond_wait(changed, mutex) }
        return isAbandoned ? nil : filled % blocks.count
    }

    func take(into out: inout OutputRawSpan) throws(BackupError) -> Bool {
        pthread_mutex_lock(mutex)
        while filled == taken && !ended { pthread_cond_wait(changed, mutex) }
        let isLast = ended && filled - taken <= 1
        let problem = isLast ? failure : nil
        let isEmpty = filled == taken
        pthread_mutex_unlock(mutex)
        if let problem { throw problem }
        if isEmpty { return false }

        let index = taken % blocks.count
        let count = min(blocks[index].count, out.freeCapacity)
        blocks[index].withBytes { bytes in bytes.extracting(0..<count).withUnsafeBytes { out.append(contentsOf: $0) } }
        blocks[index].drop(count)
        if blocks[index].count > 0 { return true }
        pthread_mutex_lock(mutex)
        taken += 1
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
        return !isLast
    }
}

// The same work on many things by a few workers, each with a thread and kept memory of its own.

import Synchronization

/// Runs `body` once for each job on `workers` lanes; `makeWorker` makes what each of them keeps between jobs (blocks, chains, handles).
/// Jobs are taken in their order, so put the largest first. The first error stops the taking of jobs and is thrown when all workers
/// have stopped.
///
/// `atATime`: how many jobs a lane has under way, for jobs that mostly wait for somebody far away. All but one of them take `isSmall`
/// jobs only, from the end, so that memory does not grow with the number; each has a worker of its own.
public func parallel<Job: Sendable, Worker>(
    _ jobs: [Job], workers: Int, atATime: Int = 1, isSmall: (Job) -> Bool = { _ in true },
    makeWorker: @escaping @Sendable (Int) throws(BackupError) -> Worker,
    body: @escaping @Sendable (Worker, Job) async throws(BackupError) -> Void
) async throws(BackupError) {
    let queue = JobQueue(0..<jobs.count, smallFrom: atATime > 1 ? jobs.firstIndex(where: isSmall) ?? jobs.count : jobs.count)
    let failure = FirstError()
    var lanes: [Lane] = []
    defer { for lane in lanes { lane.close() } }
    while lanes.count < max(1, min(workers, jobs.count)) { lanes.append(try Lane.start()) }
    await withTaskGroup(of: Void.self) { group in
        for slot in 0..<max(1, atATime) {
            for (number, lane) in lanes.enumerated() {
                group.addTask(executorPreference: lane) {
                    do throws(BackupError) {
                        var worker: Worker?
                        while !failure.isSet {
                            guard let index = slot == 0 ? queue.takeFirst() : queue.takeSmall() else { break }
                            try Cancellation.check()
                            if worker == nil { worker = try makeWorker(number + 1) }
                            if let worker { try await body(worker, jobs[index]) }
                        }
                    } catch {
                        failure.set(error)
                    }
                }
            }
        }
    }
    for lane in lanes { lane.close() }
    for lane in lanes { lane.join() }
    if let error = failure.error { throw error }
}

/// Indexes that are left, taken from both ends.
private final class JobQueue: Sendable {
    private let left: Mutex<Range<Int>>
    private let smallFrom: Int

    init(_ all: Range<Int>, smallFrom: Int) {
        left = Mutex(all)
        self.smallFrom = smallFrom
    }

    func takeFirst() -> Int? {
        left.withLock { left in
            guard let first = left.first else { return nil }
            left = first + 1..<left.upperBound
            return first
        }
    }

    func takeSmall() -> Int? {
        left.withLock { left in
            guard let last = left.last, last >= smallFrom else { return nil }
            left = left.lowerBound..<last
            return last
        }
    }
}

private final class FirstError: Sendable {
    private let value = Mutex<BackupError?>(nil)
    var isSet: Bool { value.withLock { $0 != nil } }
    var error: BackupError? { value.withLock { $0 } }
    func set(_ error: BackupError) { value.withLock { if $0 == nil { $0 = error } } }
}

// The same work on many things by a few workers, each with a thread and kept memory of its own.

import Synchronization

/// Runs `body` once for each job on `workers` lanes; `makeWorker` makes what each of them keeps between jobs (blocks, chains, handles).
/// Jobs are taken in their order, so put the largest first. The first error stops the taking of jobs and is thrown when all workers
/// have stopped.
public func parallel<Job: Sendable, Worker>(
    _ jobs: [Job], workers: Int,
    makeWorker: @escaping @Sendable (Int) throws(BackupError) -> Worker,
    body: @escaping @Sendable (Worker, Job) async throws(BackupError) -> Void
) async throws(BackupError) {
    let next = SharedIndex()
    let failure = FirstError()
    var lanes: [Lane] = []
    defer { for lane in lanes { lane.close() } }
    while lanes.count < max(1, min(workers, jobs.count)) { lanes.append(try Lane.start()) }
    await withTaskGroup(of: Void.self) { group in
        for (number, lane) in lanes.enumerated() {
            group.addTask(executorPreference: lane) {
                do throws(BackupError) {
                    let worker = try makeWorker(number + 1)
                    while !failure.isSet {
                        let index = next.take()
                        if index >= jobs.count { break }
                        try Cancellation.check()
                        try await body(worker, jobs[index])
                    }
                } catch {
                    failure.set(error)
                }
            }
        }
    }
    for lane in lanes { lane.close() }
    for lane in lanes { lane.join() }
    if let error = failure.error { throw error }
}

private final class SharedIndex: Sendable {
    private let value = Atomic<Int>(0)
    func take() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue }
}

private final class FirstError: Sendable {
    private let value = Mutex<BackupError?>(nil)
    var isSet: Bool { value.withLock { $0 != nil } }
    var error: BackupError? { value.withLock { $0 } }
    func set(_ error: BackupError) { value.withLock { if $0 == nil { $0 = error } } }
}

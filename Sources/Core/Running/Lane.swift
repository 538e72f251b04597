// One thread that runs tasks: the seat of a worker.

import Glibc

/// A thread that is a task executor. A worker's task prefers its lane, so all plain calls of the worker run on one thread, and a call
/// that blocks (a read, an fsync) blocks nobody else.
public final class Lane: TaskExecutor, @unchecked Sendable {
    // `jobs`, `closed` and `running` are guarded by `mutex`.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let wakeup = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [UnownedJob] = []
    private var head = 0
    private var closed = false
    private var thread: pthread_t?
    /// Jobs run so far, for the budget tests.
    public private(set) var jobCount = 0

    private init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(wakeup, nil)
    }

    /// A lane with a thread of its own, which ends when the lane is closed.
    public static func start() throws(BackupError) -> Lane {
        let lane = Lane()
        var thread = pthread_t()
        let retained = Unmanaged.passRetained(lane)
        let status = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<Lane>.fromOpaque(argument!).takeRetainedValue().drain()
                return nil
            }, retained.toOpaque())
        if status != 0 {
            retained.release()
            throw BackupError(
                .unavailable, "unable to start a thread: \(systemMessage(status))", hint: "is the limit of processes of this user too low?")
        }
        lane.thread = thread
        return lane
    }

    /// Runs `body` as a task on the calling thread, which does nothing else until it has ended.
    public static func onThisThread(_ body: @escaping @Sendable () async -> Void) {
        let lane = Lane()
        Task(executorPreference: lane) {
            await body()
            lane.close()
        }
        lane.drain()
    }

    deinit {
        pthread_cond_destroy(wakeup)
        pthread_mutex_destroy(mutex)
        wakeup.deallocate()
        mutex.deallocate()
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pthread_mutex_lock(mutex)
        jobs.append(job)
        pthread_cond_signal(wakeup)
        pthread_mutex_unlock(mutex)
    }

    /// Ends the thread after the jobs that wait.
    public func close() {
        pthread_mutex_lock(mutex)
        closed = true
        pthread_cond_signal(wakeup)
        pthread_mutex_unlock(mutex)
    }

    /// Waits until the thread has ended.
    public func join() {
        if let thread { pthread_join(thread, nil) }
        thread = nil
    }

    private func drain() {
        while true {
            pthread_mutex_lock(mutex)
            while head == jobs.count && !closed { pthread_cond_wait(wakeup, mutex) }
            if head == jobs.count {
                pthread_mutex_unlock(mutex)
                return
            }
            let job = jobs[head]
            head += 1
            if head == jobs.count {
                jobs.removeAll(keepingCapacity: true)
                head = 0
            }
            jobCount += 1
            pthread_mutex_unlock(mutex)
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}

// A check that has an end: one that hangs is a failure with a name.

import BackstopCore
import Synchronization

/// A check was not done in time.
public struct ConformanceTimeout: Error, Sendable {
    /// What was under way could not be ended either: nothing more can be asked of the subject.
    public let isStuck: Bool
}

extension Check {
    /// Runs it on a thread of its own, and throws `ConformanceFailure`, or `ConformanceTimeout` when it is not done after `limit`. What is under
    /// way is interrupted then; a subject that does not come back from that within `grace` is left where it is.
    public func run(on subject: Subject, within limit: Duration, grace: Duration = .seconds(20)) async throws -> Verdict {
        let lane = try Lane.start()
        let outcome = Outcome()
        return try await withCheckedThrowingContinuation { continuation in
            outcome.waiter.withLock { $0 = continuation }
            Task(executorPreference: lane) {
                do {
                    outcome.settle(.success(try await run(on: subject)))
                } catch {
                    outcome.settle(.failure(error))
                }
                lane.close()
            }
            Task {
                guard await outcome.isOpen(after: limit) else { return }
                outcome.isLate.store(true, ordering: .releasing)
                subject.interrupt()
                guard await outcome.isOpen(after: grace) else { return }
                outcome.settle(.failure(ConformanceTimeout(isStuck: true)))
            }
        }
    }
}

/// What a check comes to, told once.
private final class Outcome: Sendable {
    let waiter = Mutex<CheckedContinuation<Verdict, any Error>?>(nil)
    let isLate = Atomic<Bool>(false)

    func settle(_ result: Result<Verdict, any Error>) {
        let waiter = waiter.withLock { waiter in
            defer { waiter = nil }
            return waiter
        }
        if case .failure(let error) = result, !(error is ConformanceTimeout), isLate.load(ordering: .acquiring) {
            waiter?.resume(throwing: ConformanceTimeout(isStuck: false))
        } else {
            waiter?.resume(with: result)
        }
    }

    /// Waits so long for the end. Short steps: nobody shall wait for a timer when a check has ended.
    func isOpen(after limit: Duration) async -> Bool {
        let end = ContinuousClock.now + limit
        while waiter.withLock({ $0 != nil }) {
            guard ContinuousClock.now < end else { return true }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return false
    }
}

// Two cores carry five servers, since tests also wait: a suite with this trait has at most five test cases at work at any moment, all such
// suites together.

internal import BackstopCore
import Dispatch
import Foundation
public import Testing

public struct ServerSlots: SuiteTrait, TestTrait, TestScoping {
    public let isRecursive = true

    public func scopeProvider(for test: Test, testCase: Test.Case?) -> Self? { testCase == nil ? nil : self }

    public func provideScope(for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void)
        async throws
    {
        await Slots.shared.take()
        let begin = ContinuousClock.now
        let outcome: Result<Void, any Error> = await withTaskExecutorPreference(Threads.shared) { await Result { try await function() } }
        await Slots.shared.give()
        SlotTimes.add(test, ContinuousClock.now - begin)
        try outcome.get()
    }
}

extension Trait where Self == ServerSlots {
    /// Starts servers, so it shares the machine with four other such tests only.
    public static var servers: Self { ServerSlots() }
}

/// Test cases block their thread while they wait for a program, and Swift's own pool has one for each core only.
private final class Threads: TaskExecutor {
    static let shared = Threads()
    private let queue = DispatchQueue(label: "test cases", attributes: .concurrent)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

private actor Slots {
    static let shared = Slots()
    private var free = 5
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func take() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    func give() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}

/// What each test case took while it had its slot, a line each in the file that `PGBACKSTOP_TEST_TIMES` names, for `./test` to add up: the times
/// that Swift Testing tells are mostly waiting.
private enum SlotTimes {
    private static let path = ProcessInfo.processInfo.environment["PGBACKSTOP_TEST_TIMES"]

    static func add(_ test: Test, _ time: Duration) {
        guard let path, let file = fopen(path, "a") else { return }
        fputs("\(time / .seconds(1)) \(test.id)\n".replacing(" ", with: "_").replacing("_", with: " ", maxReplacements: 1), file)
        fclose(file)
    }
}

// Repeating one request or one job.

import Glibc

/// How often a failed job is repeated: the first repeat comes at once, the others after `interval`.
public struct Retry: Sendable {
    /// Repeats after the first try.
    public var times: Int
    /// Pause before each repeat but the first.
    public var interval: Duration

    public init(times: Int, interval: Duration) {
        self.times = times
        self.interval = interval
    }

    /// Repeats `body` while it throws. Errors that a repeat cannot mend are thrown at once.
    /// `onRetry` is told of each error that is not the last.
    public func run<Value>(
        onRetry: (BackupError) -> Void = { _ in }, _ body: () async throws(BackupError) -> Value
    ) async throws(BackupError) -> Value {
        var attempt = 0
        while true {
            do throws(BackupError) {
                return try await body()
            } catch {
                // Damaged data that comes a second time at once is damaged where it lies: waiting will not mend it.
                if attempt == times || !error.code.mayPass || (attempt > 0 && error.code.isDamage) { throw error }
                onRetry(error)
                if attempt > 0 { try await pause(interval) }
                attempt += 1
            }
        }
    }
}

extension BackupError.Code {
    /// Whether the same request may succeed later. Unknown means no.
    public var mayPass: Bool {
        switch self {
        case .unavailable, .io, .fileRead, .fileWrite, .hostConnect: true
        default: isDamage
        }
    }

    /// The bytes are not what they were when they were stored.
    public var isDamage: Bool { self == .checksum || self == .corrupt || self == .format || self == .crypto }
}

/// Waits; ends early, with `.cancelled`, when the process is asked to end. The lane goes on with its other tasks.
public func pause(_ duration: Duration) async throws(BackupError) {
    let end = ContinuousClock.now + duration
    while ContinuousClock.now < end {
        try Cancellation.check()
        do {
            try await Task.sleep(for: min(end - ContinuousClock.now, .milliseconds(100)))
        } catch {
            // A task whose answer nobody wants any more does not sleep; it shall not spin either.
            usleep(10_000)
        }
    }
    try Cancellation.check()
}

// How the file jobs and the steps of a command are repeated.

import BackstopCore

extension Retry {
    /// From `job-retry` and `job-retry-interval`.
    init(_ options: Options) {
        self.init(times: options[WorkOptions.jobRetry], interval: options[WorkOptions.jobRetryInterval])
    }

    /// Repeats one step of a long run, so that a connection that breaks once does not fail hours of work.
    func step<Value>(_ what: String, _ log: Log, _ body: () async throws(BackupError) -> Value) async throws(BackupError) -> Value {
        try await run(onRetry: { log.warn("retry of \(what): \($0)") }, body)
    }
}

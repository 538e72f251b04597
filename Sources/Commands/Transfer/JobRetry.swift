// How the file jobs of a command are repeated.

import BackstopCore

extension Retry {
    /// From `job-retry` and `job-retry-interval`.
    init(_ options: Options) {
        self.init(times: Int(options.number("job-retry") ?? 2), interval: options.duration("job-retry-interval") ?? .seconds(15))
    }
}

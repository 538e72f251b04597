// What is to be said before a restore begins.

import BackstopCore

/// Goes to the log at once or, for a plan, which is a page of its own, is kept to be part of it.
struct RestoreNotes {
    /// nil: what is said is kept.
    let log: Log?
    private(set) var warnings: [String] = []

    init(log: Log?) { self.log = log }

    func info(_ text: String) { log?.info(text) }

    /// Lines after the first are hints.
    mutating func warn(_ text: String) {
        if let log { log.warn(text) } else { warnings.append(text) }
    }
}

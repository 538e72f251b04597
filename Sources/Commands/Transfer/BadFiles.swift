// Files whose pages are bad, counted for the last word of a command.

import Synchronization

/// Shared by the workers.
final class BadFiles: Sendable {
    private let files = Atomic(0)
    var count: Int { files.load(ordering: .relaxed) }
    func note() { files.add(1, ordering: .relaxed) }
}

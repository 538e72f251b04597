// How long archive-get asks repositories again that do not answer.

import BackstopCore

/// Pure: when the next attempt is, from what the last one met.
struct AskingAgain {
    /// Of all attempts together; zero: none is repeated.
    let patience: Duration
    /// That failed.
    private(set) var attempts = 0
    private var wait = Duration.milliseconds(100)

    init(patience: Duration) { self.patience = patience }

    /// How long to wait before the next attempt; nil when it would be of no use. `elapsed`: since the first one began.
    mutating func next(after problems: [BackupError.Code], elapsed: Duration) -> Duration? {
        guard patience > .zero, elapsed < patience else { return nil }
        attempts += 1
        // What is damaged a second time is damaged where it lies.
        guard problems.contains(where: { $0.mayPass && (attempts == 1 || !$0.isDamage) }) else { return nil }
        if attempts == 1 { return .zero }
        defer { wait = min(wait * 2, .seconds(5)) }
        return min(wait, patience - elapsed)
    }
}

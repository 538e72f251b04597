// The time that a copied file gets in the manifest, so that the next backup sees whatever was written to it after it was read.

import BackstopCore

/// Size and time tell the next backup what changed (repository-format.md section 3.5), and times are seconds: a file that was written in the
/// second in which it is read, or just before, may be written again with the same time. Nobody waits for that second to end; such a file gets an
/// earlier time, so that the next backup reads it once more.
struct CopyClock: Sendable {
    /// Unix seconds by the clock of the cluster's host, a moment ago.
    private let second: Int64
    private let since: ContinuousClock.Instant
    /// What was written from this second on may be missing in the files of a standby: what it has on disk is as old as the begin of the backup.
    private let begun: Int64

    /// `second`: what that clock shows now. `begun`: what it showed when the backup began.
    init(_ second: Int64, begun: Int64, since: ContinuousClock.Instant = .now) {
        (self.second, self.begun, self.since) = (second, begun, since)
    }

    /// What the clock shows, or a second less.
    private func now(_ instant: ContinuousClock.Instant) -> Int64 { second + (instant - since).components.seconds }

    /// Of a file that was listed with the time `modified` and that is going to be read, from a standby or from where it was listed.
    func time(_ modified: Int64, ofStandby: Bool = false, readAt instant: ContinuousClock.Instant = .now) -> Int64 {
        // Times of files come from a clock that is some milliseconds behind.
        modified < (ofStandby ? begun : now(instant)) - 1 ? modified : modified - 1
    }

    /// Whether a file has the time `recorded` in a manifest because nobody knew whether it would be written again in the second `modified`: most
    /// likely it was not.
    static func marks(_ recorded: Int64, of modified: Int64) -> Bool { recorded == modified - 1 }
}

// The timelines that a recovery goes through, from the one that a backup was made on.

import BackstopCore

/// Pure.
struct TimelinePath: Sendable, Equatable {
    /// Of the backup.
    let start: UInt32
    /// From `start` on, without those that were left before it; empty when the recovery stays on it.
    let switches: [TimelineHistory.Switch]
    /// Where it ends.
    let end: UInt32

    init(staying timeline: UInt32) { (start, switches, end) = (timeline, [], timeline) }

    /// `history`: that of `end`, which the backup's timeline is an ancestor in.
    init(from start: UInt32, to end: UInt32, _ history: TimelineHistory) {
        self.start = start
        self.end = end
        switches = Array(history.switches.drop { $0.timeline != start })
    }

    /// In their order.
    var timelines: [UInt32] { switches.map(\.timeline) + [end] }

    /// Which timeline's segment a server reads: the one in which a timeline was left is read from the next one, which has all of it.
    func timeline(ofSegment number: UInt64, segmentSize: UInt32) -> UInt32 {
        switches.first { number < $0.lsn.value / UInt64(segmentSize) }?.timeline ?? end
    }
}

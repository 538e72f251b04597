// Which WAL a recovery needs, and whether it is there.

import BackstopCore

/// Pure: what the archives hold against the way from the backup's begin to the target.
struct WALNeed: Sendable, Equatable {
    /// How far the recovery goes.
    enum Goal: Sendable, Equatable {
        /// Until the cluster is consistent.
        case consistency
        case lsn(LSN)
        /// As far as there is WAL, or to a target before that which only the server can find.
        case newest
    }

    /// Neighbouring segments on the way, by the numbers that their places give them.
    struct Run: Sendable, Equatable {
        var first: WALSegment
        var last: WALSegment
        var count: UInt64

        /// A name, or two with `…` between.
        var text: String { count == 1 ? first.name : "\(first)…\(last)" }
    }

    let path: TimelinePath
    /// Bytes of a segment.
    let segmentSize: UInt32
    /// From where the backup began to where it ended: without them the server does not start.
    let consistency: Run
    /// Of those, what neither an archive nor the backup has.
    private(set) var missingForConsistency: [Run] = []
    /// How many of them are in the backup itself.
    private(set) var inBackup: UInt64 = 0
    /// What follows, up to the goal or to the newest that is there; nil: nothing.
    private(set) var following: Run?
    private(set) var missingFollowing: [Run] = []
    /// The newest segment of the way that is there; nil: none.
    private(set) var newest: WALSegment?
    /// nil: only the server can tell.
    private(set) var reachesGoal: Bool?

    /// `archived`: segments in the archives, of any timeline; `inBackup`: in pg_wal of the backup. Throws `.format` when `start` to `stop` is no
    /// way.
    init(
        path: TimelinePath, start: WALSegment, stop: WALSegment, goal: Goal, segmentSize: UInt32, archived: Set<WALSegment>,
        inBackup: Set<WALSegment>
    ) throws(BackupError) {
        self.path = path
        self.segmentSize = segmentSize
        func number(_ segment: WALSegment) -> UInt64 { segment.start(segmentSize: segmentSize).value / UInt64(segmentSize) }
        func segment(_ number: UInt64) -> WALSegment {
            WALSegment(
                timeline: path.timeline(ofSegment: number, segmentSize: segmentSize), of: LSN(number * UInt64(segmentSize)),
                segmentSize: segmentSize)
        }
        // Names are only names: a cluster of this size of segments has no others.
        func exists(_ segment: WALSegment) -> Bool { segment.number <= UInt32.max / segmentSize }
        guard start.timeline == stop.timeline, start <= stop, exists(start), exists(stop) else {
            throw BackupError(.format, "the WAL of the backup is said to go from \(start) to \(stop)")
        }
        let (first, end) = (number(start), number(stop))
        // Up to its end the backup is on its own timeline, even when that is left in the same segment.
        consistency = Run(first: start, last: stop, count: end - first + 1)
        func own(_ number: UInt64) -> WALSegment {
            WALSegment(timeline: start.timeline, of: LSN(number * UInt64(segmentSize)), segmentSize: segmentSize)
        }
        func numbers(_ segments: Set<WALSegment>, _ expected: (UInt64) -> WALSegment, from: UInt64) -> [UInt64] {
            segments.filter(exists).map(number).filter { $0 >= from && segments.contains(expected($0)) }
        }
        let kept = Set(numbers(inBackup, own, from: first).filter { $0 <= end })
        let there = Set(numbers(archived, own, from: first) + numbers(archived, segment, from: first))
        self.inBackup = UInt64(kept.count)
        missingForConsistency = Self.gaps(in: first...end, there.union(kept)).map { Self.run($0, own) }
        let after = Set(numbers(archived, segment, from: end + 1))
        newest = after.max().map(segment) ?? there.union(kept).filter { $0 <= end }.max().map(own)

        let known = after.max() ?? end
        switch goal {
        case .consistency:
            reachesGoal = missingForConsistency.isEmpty
            return
        case .newest: add(upTo: known)
        case .lsn(let lsn):
            let wanted = lsn.value / UInt64(segmentSize)
            add(upTo: wanted)
            reachesGoal = missingForConsistency.isEmpty && missingFollowing.isEmpty
        }
        func add(upTo last: UInt64) {
            guard last > end else { return }
            following = Self.run(end + 1...last, segment)
            missingFollowing = Self.gaps(in: end + 1...last, after).map { Self.run($0, segment) }
        }
    }

    private static func run(_ numbers: ClosedRange<UInt64>, _ segment: (UInt64) -> WALSegment) -> Run {
        Run(first: segment(numbers.lowerBound), last: segment(numbers.upperBound), count: numbers.upperBound - numbers.lowerBound + 1)
    }

    /// What of `wanted` is not there. Goes by what is there: a range that somebody wrote may be of any length.
    private static func gaps(in wanted: ClosedRange<UInt64>, _ there: Set<UInt64>) -> [ClosedRange<UInt64>] {
        var gaps: [ClosedRange<UInt64>] = []
        var next = wanted.lowerBound
        for number in there.filter(wanted.contains).sorted() {
            if number > next { gaps.append(next...number - 1) }
            next = number + 1
        }
        if next <= wanted.upperBound { gaps.append(next...wanted.upperBound) }
        return gaps
    }
}

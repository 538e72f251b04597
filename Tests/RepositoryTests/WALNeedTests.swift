import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// Which WAL a recovery needs and what of it is there; segments of 16 MiB, of which the first digit is the timeline and the rest the number.
struct WALNeedTests {
    private static let size: UInt32 = 16 << 20

    /// `1:2`.
    private static func segment(_ text: String) -> WALSegment {
        let parts = text.split(separator: ":").map { UInt32($0)! }
        return WALSegment(timeline: parts[0], log: parts[1] / 256, number: parts[1] % 256)
    }
    private static func segments(_ text: String) -> Set<WALSegment> { Set(text.split(separator: " ").map { segment(String($0)) }) }
    private static func text(_ run: WALNeed.Run) -> String {
        func text(_ segment: WALSegment) -> String { "\(segment.timeline):\(UInt64(segment.log) * 256 + UInt64(segment.number))" }
        #expect(run.count > 0 && (run.count == 1) == (run.first == run.last))
        return run.count == 1 ? text(run.first) : "\(text(run.first))-\(text(run.last))"
    }
    private static func text(_ runs: [WALNeed.Run]) -> String { runs.map { text($0) }.joined(separator: " ") }

    struct Case: Sendable, CustomStringConvertible {
        var description: String
        var archived: String
        var inBackup = ""
        var goal = WALNeed.Goal.newest
        /// nil: stays on timeline 1.
        var history: String?
        var missing = ""
        var following: String?
        var missingFollowing = ""
        var newest: String?
        var reaches: Bool?
    }

    /// The backup goes from 1:2 to 1:4.
    @Test(arguments: [
        Case(description: "all there", archived: "1:1 1:2 1:3 1:4 1:5 1:6", following: "1:5-1:6", newest: "1:6"),
        Case(description: "nothing after the backup", archived: "1:2 1:3 1:4", newest: "1:4"),
        Case(
            description: "immediate needs no more", archived: "1:2 1:3 1:4 1:7", goal: .consistency, newest: "1:7", reaches: true),
        Case(
            description: "one of the backup is missing", archived: "1:2 1:4", goal: .consistency, missing: "1:3", newest: "1:4",
            reaches: false),
        Case(description: "first and last of the backup", archived: "1:3 1:5", missing: "1:2 1:4", following: "1:5", newest: "1:5"),
        Case(description: "nothing at all", archived: "", missing: "1:2-1:4"),
        Case(description: "in the backup", archived: "1:3", inBackup: "1:2 1:4 1:9", following: nil, newest: "1:4"),
        Case(
            description: "a hole after it", archived: "1:2 1:3 1:4 1:5 1:8 1:9 1:11", following: "1:5-1:11",
            missingFollowing: "1:6-1:7 1:10",
            newest: "1:11"),
        Case(
            description: "a place in the middle", archived: "1:2 1:3 1:4 1:5 1:6 1:9", goal: .lsn(LSN(6 << 24 + 1)), following: "1:5-1:6",
            newest: "1:9", reaches: true),
        Case(
            description: "a place past the archive", archived: "1:2 1:3 1:4 1:5", goal: .lsn(LSN(9 << 24)), following: "1:5-1:9",
            missingFollowing: "1:6-1:9", newest: "1:5", reaches: false),
        Case(
            description: "a place at the end of all places", archived: "1:2 1:3 1:4", goal: .lsn(LSN(UInt64.max)),
            following: "1:5-1:1099511627775", missingFollowing: "1:5-1:1099511627775", newest: "1:4", reaches: false),
        Case(description: "a place in the backup", archived: "1:2 1:3 1:4 1:5", goal: .lsn(LSN(4 << 24 + 9)), newest: "1:5", reaches: true),
        Case(
            description: "another timeline", archived: "1:2 1:3 1:4 1:5 1:6 1:7 1:8 2:6 2:7", history: "1\t0/6000080\tx",
            following: "1:5-2:7", newest: "2:7"),
        Case(
            description: "its first segment is missing", archived: "1:2 1:3 1:4 1:5 1:6 2:7", history: "1\t0/6000080\tx",
            following: "1:5-2:7", missingFollowing: "2:6", newest: "2:7"),
        Case(
            description: "left where a segment begins", archived: "1:2 1:3 1:4 1:5 2:6", history: "1\t0/6000000\tx", following: "1:5-2:6",
            newest: "2:6"),
        Case(
            description: "two timelines in one segment", archived: "1:2 1:3 1:4 2:5 3:5 3:6", history: "1\t0/5000010\tx\n2\t0/5000020\ty",
            following: "3:5-3:6", newest: "3:6"),
        Case(
            description: "left where the backup ended", archived: "1:2 1:3 2:4 2:5", history: "1\t0/4000100\tx", following: "2:5",
            newest: "2:5"),
    ])
    func need(_ example: Case) throws {
        let end: UInt32 = example.history.map { UInt32($0.split(separator: "\n").count + 1) } ?? 1
        let path =
            try example.history.map { TimelinePath(from: 1, to: end, try TimelineHistory($0)) } ?? TimelinePath(staying: 1)
        var archived = Self.segments(example.archived)
        // Another 16 MiB in a log of 4 GiB than there can be.
        archived.insert(WALSegment(timeline: 1, log: .max, number: .max))
        let need = try WALNeed(
            path: path, start: Self.segment("1:2"), stop: Self.segment("1:4"), goal: example.goal, segmentSize: Self.size,
            archived: archived, inBackup: Self.segments(example.inBackup))
        #expect(Self.text(need.consistency) == "1:2-1:4")
        #expect(Self.text(need.missingForConsistency) == example.missing)
        #expect(need.following.map { Self.text($0) } == example.following)
        #expect(Self.text(need.missingFollowing) == example.missingFollowing)
        #expect(need.newest == example.newest.map { Self.segment($0) })
        #expect(need.reachesGoal == example.reaches)
    }

    @Test(arguments: [("1:4", "1:2"), ("1:2", "2:3")])
    func noWay(_ start: String, _ stop: String) {
        let error = #expect(throws: BackupError.self) {
            _ = try WALNeed(
                path: TimelinePath(staying: 1), start: Self.segment(start), stop: Self.segment(stop), goal: .newest,
                segmentSize: Self.size, archived: [], inBackup: [])
        }
        #expect(error?.code == .format)
    }

    // MARK: What follows from it

    private static func need(_ archived: String, _ goal: WALNeed.Goal = .newest) throws -> WALNeed {
        try WALNeed(
            path: TimelinePath(staying: 1), start: segment("1:2"), stop: segment("1:4"), goal: goal, segmentSize: size,
            archived: segments(archived), inBackup: [])
    }

    @Test(
        arguments: [
            ("1:2 1:3 1:4", .archives, nil, []),
            ("1:2 1:4", .archives, .backupSetInvalid, []),
            ("1:2 1:4", .archivesInPart, nil, ["not all repositories answered"]),
            ("1:2 1:4", .ownCommand, nil, ["your restore_command"]),
            ("", .nothing, nil, ["nothing fetches it: 000000010000000000000002…000000010000000000000004 (3 segments)"]),
            ("1:2 1:3 1:4 1:6", .archives, nil, ["recovery ends before 000000010000000000000005"]),
            ("1:2 1:4 1:6", .archives, .backupSetInvalid, ["recovery ends before 000000010000000000000005"]),
        ] as [(String, RestorePreview.Fetching, BackupError.Code?, [String])])
    func judgement(_ archived: String, _ fetching: RestorePreview.Fetching, _ code: BackupError.Code?, _ words: [String]) throws {
        let judgement = RestorePreview.judge(try Self.need(archived), label("20260101-000000F"), .newest, fetching)
        #expect(judgement.failure?.code == code)
        if code != nil { #expect(judgement.failure?.message.contains("000000010000000000000003 (1 segment)") == true) }
        #expect(judgement.warnings.count == words.count)
        for (warning, word) in zip(judgement.warnings, words) { #expect(warning.contains(word)) }
    }

    @Test func targetPastTheArchive() throws {
        let goal = WALNeed.Goal.lsn(LSN(7 << 24))
        let short = RestorePreview.judge(try Self.need("1:2 1:3 1:4 1:5", goal), label("20260101-000000F"), goal, .archives)
        #expect(short.failure == nil && short.warnings.first?.hasPrefix("the WAL of target 0/7000000 is not in the archive") == true)
        let hole = RestorePreview.judge(try Self.need("1:2 1:3 1:4 1:5 1:7", goal), label("20260101-000000F"), goal, .archives)
        #expect(hole.warnings.first?.contains("recovery ends before 000000010000000000000006") == true)
    }
}

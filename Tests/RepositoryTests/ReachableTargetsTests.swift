import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// What is told when a target cannot be reached.
struct ReachableTargetsTests {
    private static func lsn(_ text: String) -> LSN { try! LSN(text) }

    /// Timeline 2 leaves 1 at 0/5000000, timeline 3 leaves 2 at 0/7000000, timeline 4 leaves 1 at 0/2000000.
    private static let timelines = [
        ReachableTargets.Timeline(number: 1, archived: "0/9000000"),
        ReachableTargets.Timeline(number: 2, history: try! TimelineHistory("1\t0/5000000\tx\n"), archived: "0/8000000"),
        ReachableTargets.Timeline(number: 3, history: try! TimelineHistory("1\t0/5000000\tx\n2\t0/7000000\ty\n")),
        ReachableTargets.Timeline(number: 4, history: try! TimelineHistory("1\t0/2000000\tx\n"), archived: "000000040000000000000002"),
        ReachableTargets.Timeline(number: 5, archived: "0/A000000"),
    ]

    @Test(
        arguments: [
            (
                "0/3000100", 1,
                "timeline 1 from 0/3000100 to 0/9000000; timeline 2 from 0/3000100 (left timeline 1 at 0/5000000) to 0/8000000;"
                    + " timeline 3 from 0/3000100 (left timeline 2 at 0/7000000), of which no WAL is archived"
            ),
            // The place where a timeline was left is not of it any more.
            ("0/5000000", 1, "timeline 1 from 0/5000000 to 0/9000000"),
            (
                "0/1000000", 1,
                "timeline 1 from 0/1000000 to 0/9000000; timeline 2 from 0/1000000 (left timeline 1 at 0/5000000) to 0/8000000;"
                    + " timeline 3 from 0/1000000 (left timeline 2 at 0/7000000), of which no WAL is archived;"
                    + " timeline 4 from 0/1000000 (left timeline 1 at 0/2000000) to 000000040000000000000002"
            ),
            (
                "0/6000000", 2,
                "timeline 2 from 0/6000000 to 0/8000000; timeline 3 from 0/6000000 (left timeline 2 at 0/7000000), of which no WAL is archived"
            ),
            ("0/7000000", 2, "timeline 2 from 0/7000000 to 0/8000000"),
            ("0/7000000", 3, "timeline 3 from 0/7000000, of which no WAL is archived"),
            ("0/7000000", 9, "timeline 9 from 0/7000000, of which no WAL is archived"),
        ] as [(String, UInt32, String)])
    func reached(_ stop: String, _ timeline: UInt32, _ expected: String) {
        let backup = ReachableTargets.Backup(
            label: "20260101-000000F", stopTime: 1_000_000_000, stop: Self.lsn(stop), timeline: timeline)
        let lines = ReachableTargets(repository: "repo1", backups: [backup], timelines: Self.timelines).lines
        #expect(
            lines == [
                "what can be reached:",
                "repo1: --set=20260101-000000F, which ended at \(localTimeWithZone(1_000_000_000)): \(expected)",
            ])
    }

    @Test func others() {
        let offline = ReachableTargets.Backup(label: "A", stopTime: 0, stop: nil, timeline: nil)
        let old = ReachableTargets.Backup(label: "B", stopTime: 0, stop: nil, timeline: 7)
        #expect(ReachableTargets(repository: "repo2", backups: [], timelines: Self.timelines).lines.isEmpty)
        let lines = ReachableTargets(repository: "repo2", backups: [offline, old], timelines: []).lines
        #expect(lines.count == 3 && lines[1].hasSuffix("made offline: no WAL follows") && lines[2].hasSuffix("on timeline 7"))
        // Of many, the oldest and the newest.
        func told(_ count: Int) -> [String] {
            ReachableTargets(
                repository: "repo1",
                backups: (0..<count).map { ReachableTargets.Backup(label: "L\($0)", stopTime: 0, stop: nil, timeline: 1) }, timelines: []
            ).lines
        }
        #expect(told(13).count == 14)
        #expect(told(100).count == 14 && told(100)[7] == "repo1: … and 88 backups between these …")
        #expect(told(100)[6].contains("L5,") && told(100)[8].contains("L94,") && told(100)[13].contains("L99,"))
    }

    /// A name and a place tell the size of segments but in the first of 4 GiB.
    @Test(
        arguments: [
            ("000000010000000000000002", "0/2000028", [16]), ("000000010000000000000002", "0/8000028", [64]),
            ("00000001000000010000003F", "1/3F12345", [1]),
            ("000000010000000300000000", "3/28", [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]),
            ("000000010000000300000000", "3/3000000", [64, 128, 256, 512, 1024]), ("000000010000000300000005", "4/5000000", []),
        ] as [(String, String, [UInt32])])
    func segmentSizes(_ name: String, _ lsn: String, _ expected: [UInt32]) {
        let sizes = ReachableTargets.segmentSizes(WALSegment(name)!, at: Self.lsn(lsn))
        #expect(sizes == Set(expected.map { $0 << 20 }))
    }
}

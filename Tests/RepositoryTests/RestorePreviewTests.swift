import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// A plan of a restore as people and programs see it.
struct RestorePreviewTests {
    private static func preview() throws -> RestorePreview {
        var backup = manifest("20261121-033952F")
        var bundled = storedFile("pg_data/b", size: 2048, stored: 700)
        (bundled.bundle, bundled.bundleOffset) = (1, 0)
        backup.files = [
            storedFile("pg_data/a", size: 1024, stored: 300), bundled, storedFile("pg_data/tablespace_map", size: 9, stored: 9),
        ]
        let layout = Layout(stanza: "demo")
        let place: (StoredFile) -> Manifest.Location? = { backup.location(of: $0, layout, suffix: "") }
        let plan = RestorePlan(backup.files, skipping: [ManifestName("pg_data/tablespace_map")], readOver: 0, place)
        let files = RestoreFiles(
            backup, plan, last: nil, emptied: { _ in false }, readOver: 0, readSize: nil, standing: { _ in nil }, place)
        let need = try WALNeed(
            path: TimelinePath(from: 1, to: 2, try TimelineHistory("1\t0/5000080\tx")), start: WALSegment("000000010000000000000002")!,
            stop: WALSegment("000000010000000000000003")!, goal: .newest, segmentSize: 16 << 20,
            archived: Set(["000000010000000000000003", "000000010000000000000004", "000000020000000000000006"].map { WALSegment($0)! }),
            inBackup: [])
        let judgement = RestorePreview.judge(need, backup.label, .newest, .archives)
        return RestorePreview(
            label: backup.label, type: .full, repository: "repo2", reason: "the newest", passedOver: ["repo1: no backup sets to restore"],
            stopTime: 0, stop: "0/3000100", dataPath: "/pg", isDelta: false, isForced: false, isRunning: false,
            places: [.init(name: "tablespace ts1", path: "/ts")], files: files,
            spaces: [RestoreSpace(path: "/pg", needed: 3072, free: 1 << 20, replaced: 1024)], wal: .needed(need),
            recovery: .init(
                type: "time", file: "postgresql.auto.conf", lines: ["# Recovery settings", "recovery_target_time = 'x'"],
                replaced: ["recovery_target_xid = '1'"], signal: "recovery.signal"), warnings: judgement.warnings,
            failure: judgement.failure)
    }

    @Test func text() throws {
        #expect(
            try Self.preview().text == """
                backup: 20261121-033952F (full) in repo2
                    chosen: the newest
                    not used: repo1: no backup sets to restore
                    ended: \(localTimeWithZone(0)) at 0/3000100
                files: 3, 3KB, to /pg
                    tablespace ts1 to /ts
                    on their own: 1 file, 1KB, stored in 300B
                    in bundles: 1 file, 2KB, stored in 700B
                    not restored: tablespace_map
                    0 folders, 0 links
                    read from repo2: 1000B by 2 requests
                space: enough
                    /pg: 3KB needed, 1MB free, 1KB there that is replaced
                WAL: timeline 1 to 0/5000080, timeline 2
                    until consistent: 000000010000000000000002…000000010000000000000003, 2 segments, 1 MISSING
                    after that: 000000010000000000000004…000000020000000000000006, 3 segments, 1 MISSING
                    whether the target is in it only the server can tell
                recovery: type time
                    postgresql.auto.conf:
                        # Removed … # recovery_target_xid = '1'
                        # Recovery settings
                        recovery_target_time = 'x'
                    recovery.signal: an empty file
                WARN: WAL is missing: 000000020000000000000005 (1 segment)
                HINT: recovery ends before 000000020000000000000005; what was archived after that cannot be reached.
                This restore would be refused.

                """)
    }

    @Test func json() throws {
        let missing = #"{"count":1,"first":"000000010000000000000002","last":"000000010000000000000002"}"#
        let gap = missing.replacing("000000010000000000000002", with: "000000020000000000000005")
        let wal = #"""
            {"consistency":{"count":2,"first":"000000010000000000000002","in-backup":0,"last":"000000010000000000000003","missing":[\#(missing)]},"following":{"count":3,"first":"000000010000000000000004","last":"000000020000000000000006","missing":[\#(gap)]},"newest":"000000020000000000000006","reaches-target":null,"segment-size":16777216,"switch":[{"lsn":"0/5000080","timeline":1}],"timeline":2}
            """#
        let json = try Self.preview().json
        #expect(json["wal"]?.text == wal)
        #expect(json["error"]?["code"]?.int == 75 && json["warning"]?.array?.count == 1)
        #expect(
            json["file"]?.text
                == #"{"compared":{"file":0,"size":0},"folder":0,"kept":{"file":0,"size":0},"kind":{"blocks":{"file":0,"size":0,"stored":0},"bundled":{"file":1,"size":2048,"stored":700},"empty":{"file":0,"size":0,"stored":0},"hole":{"file":0,"size":0,"stored":0},"whole":{"file":1,"size":1024,"stored":300}},"left":["tablespace_map"],"link":0,"read":{"at-least":1000,"at-most":1000},"request":{"at-least":2,"at-most":2},"total":3,"total-size":3081}"#
        )
        #expect(json["space"]?.text == #"[{"free":1048576,"needed":3072,"path":"/pg","replaced":1024,"too-small":false}]"#)
        #expect(json["backup"]?["repo-key"]?.int == 2 && json["backup"]?["passed-over"]?.array?.count == 1)
        #expect(json["recovery"]?["signal"]?.string == "recovery.signal" && json["place"]?.array?.first?["path"]?.string == "/ts")
    }

    /// What is only known within bounds.
    @Test func delta() throws {
        var preview = try Self.preview()
        (preview.isDelta, preview.failure, preview.warnings, preview.wal) = (true, nil, [], .unknown("the backup was made offline"))
        let lines = preview.text.split(separator: "\n")
        #expect(lines.contains("    of the right size, compared before they are kept or replaced: 0 files, 0B"))
        #expect(lines.contains("WAL: the backup was made offline") && lines.last == "Nothing is known to be in the way of this restore.")
        #expect(preview.json["wal"] == .null && preview.json["error"] == .null)
    }
}

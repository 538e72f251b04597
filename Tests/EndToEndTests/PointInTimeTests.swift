import EndToEndSupport
import Testing

/// Every kind of recovery target, on one repository with two backups and two timelines:
///
///     timeline 1:  base · full backup 1 · one · two · full backup 2 · three · (branch) · four
///     timeline 2:                                                              └─ branch
///
/// Each word is a row, each in a transaction of its own.
@Suite(.servers)
struct PointInTimeTests {
    /// A moment right after the row of that name was committed.
    struct Moment: Sendable {
        let xid: String, beforeCommit: String, committed: String, later: String, name: String
    }

    /// The repository, made once; tests only read it.
    final class History: Sendable {
        let bench: Workbench
        let first: String, second: String
        let moments: [String: Moment]

        init(_ kind: RepositoryKind) throws {
            bench = try Workbench(on: kind, options: ["archive-copy": "y"])
            let cluster = try bench.cluster()
            try bench.run("stanza-create")
            try cluster.query("CREATE TABLE item (id serial PRIMARY KEY, text text); INSERT INTO item (text) VALUES ('base')")
            try bench.run("--type=full", "backup")
            var moments: [String: Moment] = [:]
            try History.nextSecond(cluster)
            for row in ["one", "two"] { moments[row] = try History.insert(row, cluster) }
            try bench.run("--type=full", "backup")
            try History.nextSecond(cluster)
            for row in ["three", "four"] { moments[row] = try History.insert(row, cluster) }
            try cluster.archiveCurrentSegment()
            try cluster.stop()
            self.moments = moments
            (first, second) = (try bench.labels()[0], try bench.labels()[1])

            try run(["rm", "-rf", cluster.data])
            let branch = try bench.restore("data", "--type=name", "--target=after_three", "--target-action=promote")
            try branch.start()
            try branch.waitForPromotion()
            _ = try History.insert("branch", branch)
            try branch.archiveCurrentSegment()
            try branch.stop()
        }

        /// A target must be later than the end of a backup, which is known to the second.
        private static func nextSecond(_ cluster: Cluster) throws {
            try cluster.query("SELECT pg_sleep(1.01 - extract(microseconds FROM clock_timestamp())::numeric % 1000000 / 1000000)")
        }

        private static func insert(_ row: String, _ cluster: Cluster) throws -> Moment {
            let answer = try cluster.query(
                "BEGIN; INSERT INTO item (text) VALUES ('\(row)'); SELECT pg_current_xact_id(), pg_current_wal_insert_lsn(); COMMIT"
            ).split(separator: "|").map(String.init)
            let times = try cluster.query(
                "SELECT pg_xact_commit_timestamp('\(answer[0])'::xid), clock_timestamp(), pg_create_restore_point('after_\(row)')"
            ).split(separator: "|").map(String.init)
            return Moment(xid: answer[0], beforeCommit: answer[1], committed: times[0], later: times[1], name: "after_\(row)")
        }
    }

    static let history = Result { try History(.posix) }
    static let others = Feature.pointInTime.others.map { kind in Result { try History(kind) } }

    struct Case: Sendable, CustomStringConvertible {
        let description: String
        /// The options, from the history.
        let options: @Sendable (History) -> [String]
        let rows: [String]
        /// The backup that must have been used: 1, 2, or whichever.
        var backup: Int?
        /// What PostgreSQL does by itself when the target is reached.
        var ends = End.promoted
        enum End: Sendable { case promoted, paused, shutDown, standby }

        init(
            _ description: String, rows: [String], backup: Int? = nil, ends: End = .promoted,
            _ options: @escaping @Sendable (History) -> [String]
        ) {
            (self.description, self.rows, self.backup, self.ends, self.options) = (description, rows, backup, ends, options)
        }
    }

    static let promote = "--target-action=promote"
    static let cases: [Case] = [
        Case("default goes to the end of the latest timeline", rows: ["base", "one", "two", "three", "branch"], backup: 2) { _ in [] },
        Case("default on the current timeline", rows: ["base", "one", "two", "three", "four"], backup: 2) { _ in
            ["--target-timeline=current"]
        },
        Case("default on timeline 1 by number", rows: ["base", "one", "two", "three", "four"]) { _ in ["--target-timeline=1"] },
        Case("default on timeline 2 by number, from the first backup", rows: ["base", "one", "two", "three", "branch"], backup: 1) {
            ["--target-timeline=0x2", "--set=\($0.first)"]
        },
        Case("time chooses the backup before it", rows: ["base", "one"], backup: 1) {
            ["--type=time", "--target=\($0.moments["one"]!.later)", promote]
        },
        Case("time after the second backup", rows: ["base", "one", "two", "three"], backup: 2) {
            ["--type=time", "--target=\($0.moments["three"]!.later)", promote, "--target-timeline=current"]
        },
        Case("time of a commit, inclusive", rows: ["base", "one", "two", "three"]) {
            ["--type=time", "--target=\($0.moments["three"]!.committed)", promote, "--target-timeline=current"]
        },
        Case("time of a commit, exclusive", rows: ["base", "one", "two"]) {
            ["--type=time", "--target=\($0.moments["three"]!.committed)", "--target-exclusive", promote, "--target-timeline=current"]
        },
        Case("time from a backup that was chosen", rows: ["base", "one", "two", "three"], backup: 1) {
            ["--type=time", "--target=\($0.moments["three"]!.later)", "--set=\($0.first)", promote, "--target-timeline=current"]
        },
        Case("xid, inclusive", rows: ["base", "one", "two"], backup: 1) {
            ["--type=xid", "--target=\($0.moments["two"]!.xid)", "--set=\($0.first)", promote]
        },
        Case("xid, exclusive", rows: ["base", "one"], backup: 1) {
            ["--type=xid", "--target=\($0.moments["two"]!.xid)", "--set=\($0.first)", "--target-exclusive", promote]
        },
        Case("lsn chooses the backup before it, inclusive", rows: ["base", "one"], backup: 1) {
            ["--type=lsn", "--target=\($0.moments["one"]!.beforeCommit)", promote]
        },
        Case("lsn, exclusive", rows: ["base", "one", "two"], backup: 2) {
            ["--type=lsn", "--target=\($0.moments["three"]!.beforeCommit)", "--target-exclusive", promote]
        },
        Case("name", rows: ["base", "one", "two", "three"], backup: 2) { _ in ["--type=name", "--target=after_three", promote] },
        Case("name from the first backup", rows: ["base", "one"], backup: 1) {
            ["--type=name", "--target=after_one", "--set=\($0.first)", promote]
        },
        Case("immediate stops at the end of the backup", rows: ["base"], backup: 1) { ["--type=immediate", "--set=\($0.first)", promote] },
        Case("none uses the WAL in the backup only", rows: ["base"], backup: 1) { ["--type=none", "--set=\($0.first)"] },
        Case("pause is the action unless told otherwise", rows: ["base", "one", "two", "three"], ends: .paused) { _ in
            ["--type=name", "--target=after_three"]
        },
        Case("pause by name", rows: ["base"], backup: 1, ends: .paused) {
            ["--type=immediate", "--set=\($0.first)", "--target-action=pause"]
        },
        Case("shutdown at the target", rows: ["base", "one", "two", "three"], ends: .shutDown) { _ in
            ["--type=name", "--target=after_three", "--target-action=shutdown"]
        },
        Case("standby stays in recovery", rows: ["base", "one", "two", "three", "branch"], ends: .standby) { _ in ["--type=standby"] },
        Case("standby on the current timeline", rows: ["base", "one", "two", "three", "four"], ends: .standby) { _ in
            ["--type=standby", "--target-timeline=current"]
        },
        Case("options of the user are recovery settings", rows: ["base", "one", "two", "three", "branch"]) { _ in
            ["--recovery-option=recovery-end-command=touch end-command-ran"]
        },
    ]

    /// A restored cluster must not archive into the shared repository, nor answer slower than a test can ask.
    static let quiet = ["archive_mode=off", "wal_retrieve_retry_interval=100ms"]

    @Test(arguments: cases)
    func target(_ example: Case) throws { try target(example, Self.history.get()) }

    /// Neither the choice of the backup nor that of the timeline asks what the repository is, so two cases do.
    @Test(
        arguments: others.indices,
        cases.filter {
            ["default goes to the end of the latest timeline", "time chooses the backup before it"].contains($0.description)
        })
    func targetElsewhere(_ kind: Int, _ example: Case) throws { try target(example, Self.others[kind].get()) }

    private func target(_ example: Case, _ history: History) throws {
        let bench = try Workbench(sharing: history.bench)
        let restored = try Cluster(.version(15), in: bench.folder, name: "data")
        let outcome = try bench.run(["--log-level-console=info"] + example.options(history) + ["restore"])
        if let backup = example.backup {
            #expect(outcome.text.contains("restore backup set \(backup == 1 ? history.first : history.second),"), "\(outcome)")
        }

        let expected = example.rows.joined(separator: "\n")
        let rows = "SELECT text FROM item ORDER BY id"
        switch example.ends {
        case .promoted:
            try restored.start(Self.quiet)
            try restored.waitForPromotion()
            #expect(try restored.query(rows) == expected)
        case .paused:
            try restored.start(Self.quiet)
            try restored.wait(until: "SELECT pg_get_wal_replay_pause_state()", is: "paused")
            #expect(try restored.query(rows) == expected)
            try restored.query("SELECT pg_wal_replay_resume()")
            try restored.waitForPromotion()
            #expect(try restored.query(rows) == expected)
        case .shutDown:
            _ = try restored.tryToStart(Self.quiet)
            try eventually("the server shuts down") { restored.isRunning ? nil : true }
            #expect(restored.log.contains("shutdown at recovery target"))
            try run(["sed", "-i", "/^recovery_target_action/d", "\(restored.data)/postgresql.auto.conf"])
            try restored.start(Self.quiet)
            try restored.wait(until: "SELECT pg_get_wal_replay_pause_state()", is: "paused")
            #expect(try restored.query(rows) == expected)
        case .standby:
            try restored.start(Self.quiet)
            try restored.wait(until: "SELECT string_agg(text, ' ' ORDER BY id) FROM item", is: example.rows.joined(separator: " "))
            #expect(try restored.query("SELECT pg_is_in_recovery()") == "t")
            try restored.promote()
            #expect(try restored.query(rows) == expected)
        }
        if example.description.hasPrefix("options of the user") {
            #expect(try attempt(["test", "-e", "\(restored.data)/end-command-ran"]).status == 0)
        }
    }

    /// preserve keeps the recovery settings that are there, whatever the backup holds.
    @Test func preserve() throws {
        let history = try Self.history.get()
        let bench = try Workbench(sharing: history.bench)
        let restored = try bench.restore("data", "--set=\(history.first)", "--type=name", "--target=after_one", "--target-action=promote")
        let settings = try run(["cat", "\(restored.data)/postgresql.auto.conf"]).output
        #expect(settings.contains("after_one"))
        try bench.run("--set=\(history.first)", "--delta", "--type=preserve", "restore")
        #expect(try run(["cat", "\(restored.data)/postgresql.auto.conf"]).output == settings)
        try restored.start(Self.quiet)
        try restored.waitForPromotion()
        #expect(try restored.query("SELECT text FROM item ORDER BY id") == "base\none")
    }

    struct Refused: Sendable, CustomStringConvertible {
        let description: String
        let status: Int32
        let options: @Sendable (History) -> [String]
    }

    /// A target that no backup can reach is an error before anything is written.
    @Test(arguments: [
        Refused(description: "time before the first backup", status: 75) { _ in ["--type=time", "--target=2001-01-01 00:00:00+00"] },
        Refused(description: "lsn before the first backup", status: 75) { _ in ["--type=lsn", "--target=0/28"] },
        Refused(description: "a backup that does not exist", status: 75) { _ in ["--set=20010101-000000F"] },
        Refused(description: "a time that is none", status: 29) { _ in ["--type=time", "--target=tomorrow"] },
        Refused(description: "a timeline that does not exist", status: 55) { _ in ["--target-timeline=7"] },
        Refused(description: "target without a value", status: 37) { _ in ["--type=time"] },
        Refused(description: "target with a type that has none", status: 31) { _ in ["--type=immediate", "--target=x"] },
        Refused(description: "exclusive with a type that cannot be", status: 31) { _ in ["--type=name", "--target=x", "--target-exclusive"]
        },
        Refused(description: "a type that does not exist", status: 32) { _ in ["--type=yesterday"] },
    ])
    func unreachable(_ example: Refused) throws {
        let history = try Self.history.get()
        let bench = try Workbench(sharing: history.bench)
        try bench.folder.makeDirectory("data")
        let outcome = try bench.attempt(example.options(history) + ["restore"])
        #expect(outcome.status == example.status, "\(outcome)")
        #expect(outcome.text.contains("ERROR: [0\(example.status)]"), "\(outcome)")
        #expect(try run(["ls", "-A", bench.data]).output == "")
    }
}
